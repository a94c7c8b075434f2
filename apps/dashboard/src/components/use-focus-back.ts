import { useEffect, useState } from 'react'

/** When a dialog goes away, the focus goes back to what opened it. */
export function useFocusBack(): void {
  // Taken while it is rendered for the first time: afterwards the dialog has the focus.
  const [opener] = useState(() => document.activeElement)
  useEffect(
    () => () => {
      // Later, because the dialog still holds the focus while it goes.
      setTimeout(() => {
        if (opener instanceof HTMLElement && opener.isConnected) opener.focus()
      })
    },
    [opener],
  )
}
