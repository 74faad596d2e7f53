/** Takes whoever sent a form to the first field that has to be mended. */
export function focusFirstError(form: EventTarget) {
  // After the errors are there.
  requestAnimationFrame(() => {
    const first = (form as HTMLElement).querySelector<HTMLElement>('[aria-invalid="true"]')
    const control = first?.matches('fieldset')
      ? first.querySelector<HTMLElement>('input:not(:disabled), button')
      : first
    control?.focus()
  })
}
