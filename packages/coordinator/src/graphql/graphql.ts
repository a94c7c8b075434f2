import {
  buildSchema,
  execute,
  getNamedType,
  getOperationAST,
  GraphQLError,
  isCompositeType,
  OperationTypeNode,
  parse,
  validate,
  type DocumentNode,
  type GraphQLFieldResolver,
} from 'graphql'
import type { Context, Resolve, Resolvers } from './context.ts'
import { EVENT } from './event.ts'
import { Budget, MOST_TOKENS, Sizes, tooLarge } from './limits.ts'
import { RELEASE } from './release.ts'
import { RELEASE_NOTE } from './release-note.ts'
import { SDL } from './schema.ts'
import { STATUS } from './status.ts'
import { STUDY } from './study.ts'
import { TASK } from './task.ts'
import { TASK_SERVICE } from './task-service.ts'
import { USER } from './user.ts'

const SCHEMA = buildSchema(SDL)
const NOUNS: readonly Resolvers[] = [RELEASE, TASK, TASK_SERVICE, EVENT, RELEASE_NOTE, STUDY, USER, STATUS]
const RESOLVERS: ReadonlyMap<string, Resolve> = new Map(
  NOUNS.flatMap((noun) =>
    Object.entries(noun).flatMap(([type, fields]) =>
      Object.entries(fields).map(([field, resolve]) => [`${type}.${field}`, resolve] as const),
    ),
  ),
)

/** What somebody asks. */
export interface Question {
  readonly query: string
  readonly variables: Readonly<Record<string, unknown>>
  readonly operationName: string | null
  /** Over GET nothing is changed. */
  readonly readOnly: boolean
}

export interface Reply {
  readonly status: number
  readonly body: { readonly errors?: readonly object[]; readonly data?: unknown }
}

export type RequestContext = Omit<Context, 'budget'>

/** A list whose rows all fail for one reason need not say so at each of them. */
const MOST_ERRORS = 100

const ONLY_POST = 'Can only perform a mutation operation from a POST request.'

/** Answers one question. What cannot be understood is 400 without data; what fails is an error at its field (GQ-5). */
export async function answerQuestion(question: Question, request: RequestContext): Promise<Reply> {
  const read = readDocument(question.query)
  if ('errors' in read) return { status: 400, body: read }
  const { document, sizes } = read
  const operation = getOperationAST(document, question.operationName)
  if (question.readOnly && operation && operation.operation !== OperationTypeNode.QUERY)
    return refusal(405, ONLY_POST)
  const context: Context = { ...request, budget: new Budget(sizes) }
  const result = await execute({
    schema: SCHEMA,
    document,
    variableValues: question.variables,
    operationName: question.operationName,
    contextValue: context,
    fieldResolver: resolveField,
  })
  const { errors, data } = result
  const shown = errors?.slice(0, MOST_ERRORS).map((error) => shownError(error, request))
  // Without data it was not begun: the variables, or the name of the operation, are wrong.
  if (!('data' in result)) return { status: 400, body: { errors: shown ?? [] } }
  return { status: 200, body: shown ? { errors: shown, data } : { data } }
}

/** An error that is about no place in the query. */
export function refusal(status: number, message: string): Reply {
  return { status, body: { errors: [{ message }] } }
}

type Document = { readonly document: DocumentNode; readonly sizes: Sizes }

function readDocument(query: string): Document | { readonly errors: readonly object[] } {
  let document: DocumentNode
  try {
    document = parse(query, { maxTokens: MOST_TOKENS })
  } catch (error) {
    if (error instanceof GraphQLError) return { errors: [error.toJSON()] }
    throw error
  }
  const sizes = new Sizes(document)
  // Before the validation, whose work grows faster than what it looks at.
  const large = tooLarge(document, sizes)
  const errors = large ? [large] : validate(SCHEMA, document)
  return errors.length > 0 ? { errors: errors.map((error) => error.toJSON()) } : { document, sizes }
}

const resolveField: GraphQLFieldResolver<unknown, Context> = (source, args, context, info) => {
  const { parentType, fieldName, fieldNodes } = info
  if (parentType.name === 'Query') checkReader(context)
  const resolve = RESOLVERS.get(`${parentType.name}.${fieldName}`)
  if (!resolve) return (source as Readonly<Record<string, unknown>>)[fieldName]
  // Lists pay for their rows; a single object is a list of one.
  if (isCompositeType(getNamedType(info.returnType))) context.budget.take(1, fieldNodes)
  return resolve(source, args, context, info)
}

/** One rule for every read: open to all, or to nobody who is not known (AU-3, F-53). */
function checkReader({ deps: { policy }, caller }: Context): void {
  if (!policy.may(caller, 'read')) throw new GraphQLError(policy.refusal(caller, 'read'))
}

/** What is not meant for the caller is told to the log alone. */
function shownError(error: GraphQLError, { deps: { log } }: RequestContext): object {
  const cause = error.originalError
  if (!cause || cause instanceof GraphQLError) return error.toJSON()
  log.error({ err: cause, path: error.path }, 'a field of a query failed')
  return { ...error.toJSON(), message: 'Internal error' }
}
