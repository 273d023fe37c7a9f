// The frames of the page: sections with a heading, cards, and lists of names and values.

import type { ComponentChildren } from 'preact'

export function Section(props: {
  id: string
  title: string
  aside?: ComponentChildren
  children: ComponentChildren
}) {
  const heading = `${props.id}-heading`
  return (
    <section id={props.id} aria-labelledby={heading}>
      <div class="section-head">
        <h2 id={heading}>{props.title}</h2>
        {props.aside}
      </div>
      {props.children}
    </section>
  )
}

export function Card(props: { title?: string; aside?: ComponentChildren; class?: string; children: ComponentChildren }) {
  return (
    <div class={`card ${props.class ?? ''}`}>
      {props.title !== undefined && (
        <div class="card-head">
          <h3>{props.title}</h3>
          {props.aside}
        </div>
      )}
      {props.children}
    </div>
  )
}

/** Names and values; those without a value are left out. */
export function Facts({ facts }: { facts: [string, ComponentChildren][] }) {
  return (
    <dl class="facts">
      {facts
        .filter(([, value]) => value !== null && value !== undefined && value !== '')
        .map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
    </dl>
  )
}

export function Empty({ children }: { children: ComponentChildren }) {
  return <p class="empty">{children}</p>
}
