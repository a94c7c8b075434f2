import { useEffect, useSyncExternalStore } from 'react'

const SHOWN_MS = 6000

let text = ''
const listeners = new Set<() => void>()

function say(next: string): void {
  text = next
  for (const listener of listeners) listener()
}

/** Says that something was done, to those who see and to those who hear. */
export function announce(message: string): void {
  say(message)
}

const subscribe = (listener: () => void) => {
  listeners.add(listener)
  return () => void listeners.delete(listener)
}

/** The place where it is said; once in a page. */
export function Announcer() {
  const said = useSyncExternalStore(subscribe, () => text)
  useEffect(() => {
    if (said === '') return undefined
    const timer = setTimeout(() => say(''), SHOWN_MS)
    return () => clearTimeout(timer)
  }, [said])
  return (
    <div role="status" className="announcer" data-empty={said === '' || undefined}>
      {said}
    </div>
  )
}
