import type { Json } from './define.ts'

/** What a program may say in one line of its standard output: any of these, together or alone. */
export interface ProgramWords {
  readonly progress?: number
  readonly message?: string
  readonly summary?: { readonly [key: string]: Json }
  readonly staged?: Json
  readonly step?: string
  readonly result?: Json
}

const isText = (value: unknown) => typeof value === 'string'
const isObject = (value: unknown) => typeof value === 'object' && value !== null && !Array.isArray(value)
const isAnything = () => true

const KNOWN: { readonly [word: string]: (value: unknown) => boolean } = {
  progress: (value) => typeof value === 'number',
  message: isText,
  summary: isObject,
  staged: isAnything,
  step: (value) => isText(value) && value !== '',
  result: isAnything,
}

/** Told by `stage` alone: what the other phases would say there is not kept anywhere. */
const OF_STAGE = ['summary', 'staged']

/**
 * The words of a line; null where it is for the log: no JSON object, or one with a field that is not known or not of
 * its form. So a program that writes its log as JSON is not taken at its word by chance.
 */
export function wordsOf(line: string, isStage: boolean): ProgramWords | null {
  const words = objectOf(line)
  if (words === null) return null
  const names = Object.keys(words)
  const known = names.every((name) => Object.hasOwn(KNOWN, name) && KNOWN[name]?.(words[name]))
  if (!known || names.length === 0 || ('result' in words && !('step' in words))) return null
  if (!isStage && names.some((name) => OF_STAGE.includes(name))) return null
  return words
}

function objectOf(line: string): { readonly [name: string]: unknown } | null {
  if (!/^\s*\{/.test(line)) return null
  try {
    return JSON.parse(line) as { readonly [name: string]: unknown }
  } catch {
    return null
  }
}
