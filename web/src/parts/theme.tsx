// Light and dark: as the system has it, or as somebody chose. Paper is always light.

import { createContext, type ComponentChildren } from 'preact'
import { useContext, useEffect, useLayoutEffect, useState } from 'preact/hooks'

export type Choice = 'system' | 'light' | 'dark'
export type Theme = 'light' | 'dark'

interface Themes {
  theme: Theme
  choice: Choice
  choose: (choice: Choice) => void
}

const KEY = 'aiotest-engine theme'
const Context = createContext<Themes>({ theme: 'light', choice: 'system', choose: () => undefined })

/** The theme that is shown, and how to change it. */
export function useTheme(): Themes {
  return useContext(Context)
}

export function ThemeProvider({ children }: { children: ComponentChildren }) {
  const [choice, setChoice] = useState(read)
  const dark = useMedia('(prefers-color-scheme: dark)')
  const printing = usePrinting()
  const theme = printing ? 'light' : choice === 'system' ? (dark ? 'dark' : 'light') : choice
  // Before anything that looks at colours is drawn.
  document.documentElement.dataset.theme = theme
  const choose = (next: Choice) => {
    setChoice(next)
    write(next)
  }
  return <Context.Provider value={{ theme, choice, choose }}>{children}</Context.Provider>
}

/** Whether a media query holds now. */
export function useMedia(query: string): boolean {
  const [holds, setHolds] = useState(() => matchMedia(query).matches)
  useEffect(() => {
    const list = matchMedia(query)
    const look = () => setHolds(list.matches)
    look()
    list.addEventListener('change', look)
    return () => list.removeEventListener('change', look)
  }, [query])
  return holds
}

/** Whether the page is being printed. */
export function usePrinting(): boolean {
  const [printing, setPrinting] = useState(() => matchMedia('print').matches)
  useLayoutEffect(() => {
    const list = matchMedia('print')
    const look = () => setPrinting(list.matches)
    const before = () => setPrinting(true)
    const after = () => setPrinting(false)
    list.addEventListener('change', look)
    addEventListener('beforeprint', before)
    addEventListener('afterprint', after)
    return () => {
      list.removeEventListener('change', look)
      removeEventListener('beforeprint', before)
      removeEventListener('afterprint', after)
    }
  }, [])
  return printing
}

/** A file opened from a disk may not remember anything; then the choice lasts for the page. */
function read(): Choice {
  try {
    const stored = localStorage.getItem(KEY)
    return stored === 'light' || stored === 'dark' ? stored : 'system'
  } catch {
    return 'system'
  }
}

function write(choice: Choice): void {
  try {
    localStorage.setItem(KEY, choice)
  } catch {
    // See `read`.
  }
}

const NEXT: Record<Choice, Choice> = { system: 'light', light: 'dark', dark: 'system' }
const WORDS: Record<Choice, string> = { system: 'as the system', light: 'light', dark: 'dark' }

/** Goes through the three. */
export function ThemeSwitch() {
  const { choice, choose } = useTheme()
  const label = `Colours: ${WORDS[choice]}. Switch to ${WORDS[NEXT[choice]]}`
  return (
    <button type="button" class="icon-button" aria-label={label} title={label} onClick={() => choose(NEXT[choice])}>
      <svg viewBox="0 0 20 20" aria-hidden="true">
        {choice === 'light' && (
          <path d="M10 6.5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7ZM10 1.5v2M10 16.5v2M1.5 10h2M16.5 10h2M4 4l1.4 1.4M14.6 14.6 16 16M4 16l1.4-1.4M14.6 5.4 16 4" />
        )}
        {choice === 'dark' && <path d="M16.5 11.8A7 7 0 0 1 8.2 3.5a7 7 0 1 0 8.3 8.3Z" />}
        {choice === 'system' && (
          <>
            <circle cx="10" cy="10" r="7" />
            <path d="M10 3a7 7 0 0 1 0 14Z" class="filled" />
          </>
        )}
      </svg>
    </button>
  )
}
