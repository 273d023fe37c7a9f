// Small pictures beside words. They say nothing that the words do not.

export type Icon = keyof typeof PATHS

const PATHS = {
  check: 'm4 10.5 4 4 8-9',
  cross: 'm5 5 10 10M15 5 5 15',
  warning: 'M10 3 18 17H2ZM10 8v4M10 14.4v.2',
  play: 'M6 4v12l10-6Z',
  pause: 'M7 4v12M13 4v12',
  stop: 'M5 5h10v10H5Z',
  download: 'M10 3v9M6 9l4 4 4-4M4 16.5h12',
  up: 'm5 12 5-5 5 5',
  down: 'm5 8 5 5 5-5',
  both: 'm6.5 8 3.5-3.5L13.5 8M6.5 12l3.5 3.5 3.5-3.5',
  table: 'M3 4.5h14v11H3ZM3 8.5h14M8 8.5v7',
  chart: 'M3 15.5 7.5 9l4 3.5L17 4.5',
  unplugged: 'm3 17 4-4M17 3l-4 4M5.5 8.5 11.5 14.5 9 17a4.2 4.2 0 0 1-6-6ZM8.5 5.5 11 3a4.2 4.2 0 0 1 6 6l-2.5 2.5Z',
  unknown: 'M7.5 7.5a2.5 2.5 0 1 1 3.6 2.3c-.7.4-1.1.9-1.1 1.7v.5M10 15.2v.2',
  equal: 'M4.5 8h11M4.5 12h11',
} as const

export function Icon({ name }: { name: Icon }) {
  return (
    <svg class={`icon icon-${name}`} viewBox="0 0 20 20" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  )
}
