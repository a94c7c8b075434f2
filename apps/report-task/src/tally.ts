import type { Collection } from '@release-task/study-records'

/** What is counted of each collection: the name in the report, and the field of the record. */
const COUNTED: { readonly [collection in Collection]: { readonly [name: string]: string } } = {
  participants: {
    gender: 'gender',
    race: 'race',
    ethnicity: 'ethnicity',
    diagnosis_category: 'diagnosis_category',
  },
  biospecimens: { composition: 'composition', tissue_type: 'source_text_tissue_type' },
  'genomic-files': { data_type: 'data_type' },
}

/** Null, an empty text, a missing field; and the words themselves, which some studies write. */
export const NOT_REPORTED = 'not reported'
/** Takes what comes after `MOST_VALUES` different values: a field of free text must not fill the memory. */
export const OTHER_VALUES = 'other values'
const MOST_VALUES = 200
const MOST_CHARS = 200

export interface Amount {
  readonly rows: number
  /** Sum of the sizes that are known. */
  readonly bytes: number
}

export interface ValueAmount extends Amount {
  readonly value: string
}

const NOTHING: Amount = { rows: 0, bytes: 0 }

function sum(one: Amount, other: Amount): Amount {
  return { rows: one.rows + other.rows, bytes: one.bytes + other.bytes }
}

/** Counts the rows of one collection, as they pass by. */
export class Tally {
  readonly #fields: readonly { readonly name: string; readonly field: string }[]
  readonly #counts = new Map<string, Map<string, Amount>>()
  #all = NOTHING
  #withoutSize = 0

  constructor(collection: Collection) {
    this.#fields = Object.entries(COUNTED[collection]).map(([name, field]) => ({ name, field }))
    for (const { name } of this.#fields) this.#counts.set(name, new Map())
  }

  get rows(): number {
    return this.#all.rows
  }

  get bytes(): number {
    return this.#all.bytes
  }

  /** Rows that do not tell a size. */
  get withoutSize(): number {
    return this.#withoutSize
  }

  /** @param text the JSON text of a record */
  addRow(text: string): void {
    const row = JSON.parse(text) as { readonly [field: string]: unknown }
    const size = row['size']
    const sized = typeof size === 'number' && Number.isSafeInteger(size) && size >= 0
    const amount = { rows: 1, bytes: sized ? size : 0 }
    this.#all = sum(this.#all, amount)
    if (!sized) this.#withoutSize++
    for (const { name, field } of this.#fields) this.#addTo(name, valueOf(row[field]), amount)
  }

  /** Adds what another tally of the same collection counted. */
  add(other: Tally): void {
    this.#all = sum(this.#all, other.#all)
    this.#withoutSize += other.#withoutSize
    for (const [name, values] of other.#counts)
      for (const [value, amount] of values) this.#addTo(name, value, amount)
  }

  #addTo(name: string, value: string, amount: Amount): void {
    const values = this.#counts.get(name)
    if (!values) return
    const known = values.size < MOST_VALUES || values.has(value) || value === NOT_REPORTED
    const key = known ? value : OTHER_VALUES
    values.set(key, sum(values.get(key) ?? NOTHING, amount))
  }

  /** The counts by name: most rows first, what is no value of its own last. */
  by(): { readonly [name: string]: readonly ValueAmount[] } {
    const sorted = [...this.#counts].map(([name, values]) => [name, inOrder(values)] as const)
    return Object.fromEntries(sorted)
  }
}

function valueOf(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value ?? null)
  const words = text.trim()
  if (value === null || value === undefined || words === '' || words.toLowerCase() === NOT_REPORTED)
    return NOT_REPORTED
  return words.length > MOST_CHARS ? `${words.slice(0, MOST_CHARS)}…` : words
}

/** Ties by code units: the same order on every machine. */
function inOrder(values: ReadonlyMap<string, Amount>): ValueAmount[] {
  const last = (value: string) => [OTHER_VALUES, NOT_REPORTED].indexOf(value)
  return [...values]
    .map(([value, amount]) => ({ value, ...amount }))
    .sort((a, b) => last(a.value) - last(b.value) || b.rows - a.rows || (a.value < b.value ? -1 : 1))
}
