/** Keys that a person presses; none comes where there is no terminal. */
export interface Keys {
  readonly there: boolean
  /** The keys pressed since the last call, Enter as `\r`, Ctrl-C as `\u0003`. */
  pressed(): string[]
  /** Resolves with the next key. */
  next(): Promise<string>
  close(): void
}

const NO_KEYS: Keys = {
  there: false,
  pressed: () => [],
  next: () => new Promise(() => undefined),
  close: () => undefined,
}

/** Reads single keys without waiting for Enter; `close` gives the terminal back as it was. */
export function openKeys(input: NodeJS.ReadStream, live: boolean): Keys {
  if (!live || !input.isTTY) return NO_KEYS
  let waiting: string[] = []
  let taker: ((key: string) => void) | null = null
  const take = (chunk: Buffer) => {
    for (const key of chunk.toString()) {
      if (taker) {
        taker(key)
        taker = null
      } else waiting.push(key)
    }
  }
  input.setRawMode(true)
  input.on('data', take)
  input.resume()
  const pressed = () => {
    const keys = waiting
    waiting = []
    return keys
  }
  const next = () =>
    new Promise<string>((resolve) => {
      const key = waiting.shift()
      if (key === undefined) taker = resolve
      else resolve(key)
    })
  const close = () => {
    input.off('data', take)
    input.setRawMode(false)
    input.pause()
  }
  return { there: true, pressed, next, close }
}
