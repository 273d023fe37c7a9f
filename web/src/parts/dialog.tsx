// A dialog above the page. The browser keeps the focus in it, and gives it back after.

import type { ComponentChildren } from 'preact'
import { useEffect, useId, useRef } from 'preact/hooks'

export function Dialog(props: {
  title: string
  /** Closed by Escape or by its own buttons. */
  close?: () => void
  submit: (form: FormData) => void
  children: ComponentChildren
}) {
  const dialog = useRef<HTMLDialogElement>(null)
  const heading = useId()
  useEffect(() => {
    const element = dialog.current
    element?.showModal()
    return () => element?.close()
  }, [])
  return (
    <dialog
      ref={dialog}
      aria-labelledby={heading}
      onCancel={(event) => {
        event.preventDefault()
        props.close?.()
      }}
    >
      <form
        onSubmit={(event) => {
          event.preventDefault()
          props.submit(new FormData(event.currentTarget))
        }}
      >
        <h2 id={heading}>{props.title}</h2>
        {props.children}
      </form>
    </dialog>
  )
}
