import type { Fixture, Response } from '../coordinator.fixture.ts'

export type Variables = Readonly<Record<string, unknown>>

/** Asks as the original's page does. */
export function post(
  fixture: Fixture,
  query: string,
  variables: Variables = {},
  headers: Record<string, string> = {},
): Promise<Response> {
  return fixture.call('POST', '/graphql', { query, variables }, headers)
}

/** The data of an answer. @throws Error where there are errors beside it */
export async function ask(
  fixture: Fixture,
  query: string,
  variables: Variables = {},
  headers: Record<string, string> = {},
): Promise<any> {
  const { code, body } = await post(fixture, query, variables, headers)
  if (code !== 200 || body.errors) throw new Error(`${code}: ${JSON.stringify(body)}`)
  return body.data
}

/** The messages of an answer of 200. */
export async function errorsOf(
  fixture: Fixture,
  query: string,
  variables: Variables = {},
  headers: Record<string, string> = {},
): Promise<string[]> {
  const { code, body } = await post(fixture, query, variables, headers)
  if (code !== 200) throw new Error(`${code}: ${JSON.stringify(body)}`)
  return (body.errors ?? []).map((error: { message: string }) => error.message)
}

export const nodesOf = (connection: { edges: { node: any }[] }) => connection.edges.map(({ node }) => node)

/** What a browser makes of the address of its page. */
export const idOf = (type: string, key: string) => btoa(`${type}:${key}`)

/** A list with the type names that a cache adds. */
const list = (name: string, fields: string) =>
  `${name} { edges { node { ${fields} __typename } __typename } __typename }`

const STUDIES = list('studies', 'id kfId name createdAt')
const HEAD = 'id kfId version name state createdAt isMajor description'
const SHOWN = `release { ${HEAD} ${list('studies', 'id kfId name')} ${list('notes', 'id description')} __typename }`
const SERVICE = 'taskService { id kfId name createdAt description healthStatus enabled url __typename }'
const STUDY_FIELDS = 'id kfId name createdAt visible deleted'

/** Every operation of the original's page, as its cache sends it. */
export const OPERATIONS = {
  GetRelease: `query GetRelease($id: ID!) { release(id: $id) {
    author ${HEAD} ${STUDIES} ${list('notes', 'id description')} __typename } }`,
  AllReleases: `query AllReleases($first: Int, $state: String) {
    ${list('allReleases(first: $first, state: $state, orderBy: "-created_at")', `${HEAD} author ${STUDIES} ${list('notes', 'id description study { id __typename }')}`)} }`,
  AllStudies: `query AllStudies($first: Int) {
    ${list('allStudies(first: $first, orderBy: "-created_at")', `${STUDY_FIELDS} ${list('releases(state: "published", first: 1, orderBy: "-created_at")', 'id kfId version')}`)} }`,
  GetStudy: `query GetStudy($id: ID!) { study(id: $id) { ${STUDY_FIELDS}
    ${list('releases(orderBy: "-created_at")', 'id kfId name description createdAt version')} __typename } }`,
  AllNotes: `query AllNotes($release: ID) {
    ${list('allReleaseNotes(release: $release)', 'id kfId description createdAt study { id __typename }')} }`,
  AllEvents: `query AllEvents($release: ID, $first: Int, $taskService: ID) {
    ${list(
      'allEvents(release: $release, taskService: $taskService, orderBy: "-created_at", first: $first)',
      `id createdAt message release { id kfId name __typename } taskService { id kfId name __typename }
       task { id kfId __typename }`,
    )} }`,
  AllServices: `query AllServices {
    ${list('allTaskServices', 'id kfId name description enabled url author healthStatus')} }`,
  GetService: `query GetService($id: ID!) { taskService(id: $id) {
    id author kfId name createdAt description healthStatus enabled url __typename } }`,
  AllTasks: `query AllTasks($first: Int, $release: String) {
    ${list('allTasks(first: $first, release: $release)', 'id kfId state createdAt taskService { id name __typename }')} }`,
  profile: `query profile { myProfile { id username email roles groups picture slackNotify slackMemberId firstName
    lastName __typename } }`,
  Status: 'query Status { status { name version commit __typename } }',
  StartRelease: `mutation StartRelease($input: ReleaseInput!) { startRelease(input: $input) { ${SHOWN} __typename } }`,
  PublishRelease: `mutation PublishRelease($release: ID!) { publishRelease(release: $release) { ${SHOWN} __typename } }`,
  CancelRelease: `mutation CancelRelease($release: ID!) { cancelRelease(release: $release) { ${SHOWN} __typename } }`,
  UpdateRelease: `mutation UpdateRelease($input: UpdateReleaseInput!, $release: ID!) {
    updateRelease(input: $input, release: $release) { ${SHOWN} __typename } }`,
  CreateService: `mutation CreateService($input: TaskServiceInput!) {
    createTaskService(input: $input) { ${SERVICE} __typename } }`,
  UpdateService: `mutation UpdateService($taskService: ID!, $input: TaskServiceInput!) {
    updateTaskService(taskService: $taskService, input: $input) { ${SERVICE} __typename } }`,
  SyncStudies: `mutation SyncStudies { syncStudies { ${list('new', STUDY_FIELDS)} ${list('deleted', STUDY_FIELDS)}
    __typename } }`,
  CreateReleaseNote: `mutation CreateReleaseNote($input: ReleaseNoteInput!) {
    createReleaseNote(input: $input) { releaseNote { id __typename } __typename } }`,
  UpdateReleaseNote: `mutation UpdateReleaseNote($input: UpdateReleaseNoteInput!, $releaseNote: ID!) {
    updateReleaseNote(input: $input, releaseNote: $releaseNote) { releaseNote { id __typename } __typename } }`,
  RemoveReleaseNote: `mutation RemoveReleaseNote($releaseNote: ID!) {
    removeReleaseNote(releaseNote: $releaseNote) { success __typename } }`,
} as const
