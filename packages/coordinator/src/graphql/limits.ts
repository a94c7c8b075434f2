import {
  GraphQLError,
  Kind,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type SelectionSetNode,
} from 'graphql'

/** Words and marks of a question; the page's own largest has 70, that of a tool that reads the schema 400. */
export const MOST_TOKENS = 2000
/** Levels of a question about data. */
export const MOST_DEPTH = 12
/** Fields of a question, those of its fragments at each place where they are used. */
export const MOST_FIELDS = 500
/** Objects in one answer. */
const MOST_NODES = 20_000
/** Fields in one answer. */
const MOST_VALUES = 500_000

interface Size {
  readonly depth: number
  readonly fields: number
}

const NOTHING: Size = { depth: 0, fields: 0 }

/** How large the questions of a document are, each fragment counted wherever it is used. */
export class Sizes {
  readonly #fragments: ReadonlyMap<string, FragmentDefinitionNode>
  readonly #known = new Map<object, Size>()

  constructor(document: DocumentNode) {
    const fragments = document.definitions.filter((one) => one.kind === Kind.FRAGMENT_DEFINITION)
    this.#fragments = new Map(fragments.map((one) => [one.name.value, one]))
  }

  of(set: SelectionSetNode | undefined): Size {
    if (!set) return NOTHING
    const known = this.#known.get(set)
    if (known) return known
    // A fragment within itself adds nothing: that it is one is told by the validation.
    this.#known.set(set, NOTHING)
    const sizes = set.selections.map((selection) => {
      if (selection.kind === Kind.FIELD) return this.#ofField(selection)
      if (selection.kind === Kind.INLINE_FRAGMENT) return this.of(selection.selectionSet)
      return this.of(this.#fragments.get(selection.name.value)?.selectionSet)
    })
    const size = {
      depth: Math.max(0, ...sizes.map(({ depth }) => depth)),
      fields: sizes.reduce((sum, { fields }) => sum + fields, 0),
    }
    this.#known.set(set, size)
    return size
  }

  /** What the schema says of itself is as deep as tools want it; the library limits its depth by itself. */
  #ofField(field: FieldNode): Size {
    const { depth, fields } = this.of(field.selectionSet)
    return { depth: field.name.value.startsWith('__') ? 0 : depth + 1, fields: fields + 1 }
  }
}

/** What is wrong with the size of a document; null where nothing is (GQ-9). */
export function tooLarge(document: DocumentNode, sizes: Sizes): GraphQLError | null {
  for (const one of document.definitions) {
    if (one.kind !== Kind.OPERATION_DEFINITION) continue
    const { depth, fields } = sizes.of(one.selectionSet)
    if (depth > MOST_DEPTH)
      return new GraphQLError(`The query is ${depth} levels deep: ${MOST_DEPTH} are the most.`)
    if (fields > MOST_FIELDS)
      return new GraphQLError(`The query asks for ${fields} fields: ${MOST_FIELDS} are the most.`)
  }
  return null
}

/** What one request may still be answered. */
export class Budget {
  readonly #sizes: Sizes
  #nodes = 0
  #values = 0

  constructor(sizes: Sizes) {
    this.#sizes = sizes
  }

  /**
   * Pays for objects before what they show is looked up.
   * @param fields how the objects are asked for
   * @throws GraphQLError once there is no more
   */
  take(objects: number, fields: readonly FieldNode[]): void {
    const each = fields.reduce((sum, field) => sum + this.#sizes.of(field.selectionSet).fields, 0)
    this.#nodes += objects
    this.#values += objects * each
    if (this.#nodes <= MOST_NODES && this.#values <= MOST_VALUES) return
    throw new GraphQLError(
      `The answer would have more than ${MOST_NODES} objects or ${MOST_VALUES} fields: ask for less, or in pages with \`first\` and \`after\`.`,
    )
  }
}
