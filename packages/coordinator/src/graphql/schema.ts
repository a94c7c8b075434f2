const PAGING = 'before: String, after: String, first: Int, last: Int'
const CREATED = 'createdBefore: Float, createdAfter: Float, orderBy: String'
const RELEASES = `version: String, state: String, author: String, name: String, isMajor: Boolean, nameContains: String,
  ${CREATED}, ${PAGING}`
const USERS = `email: String, email_Contains: String, username: String, firstName: String, lastName: String,
  lastLogin_Gt: DateTime, lastLogin_Lt: DateTime, dateJoined_Gt: DateTime, dateJoined_Lt: DateTime,
  joinedBefore: Float, joinedAfter: Float, orderBy: String, ${PAGING}`

/** A page of nodes, as every list is answered. */
function connection(node: string): string {
  return `
type ${node}Connection {
  pageInfo: PageInfo!
  edges: [${node}Edge]!
}
type ${node}Edge {
  node: ${node}
  cursor: String!
}`
}

const NODES = `
type ReleaseNode implements Node {
  id: ID!
  kfId: String!
  uuid: UUID!
  author: String!
  name: String!
  description: String!
  state: String!
  tags: [String]!
  version: String!
  isMajor: Boolean!
  createdAt: DateTime!
  studies(${PAGING}): StudyNodeConnection!
  tasks(${PAGING}): TaskNodeConnection!
  events(${PAGING}): EventNodeConnection!
  notes(${PAGING}): ReleaseNoteNodeConnection!
}
type TaskNode implements Node {
  id: ID!
  kfId: String!
  uuid: UUID!
  state: String!
  progress: Int!
  createdAt: DateTime!
  release: ReleaseNode!
  taskService: TaskServiceNode!
  events(${PAGING}): EventNodeConnection!
}
type TaskServiceNode implements Node {
  id: ID!
  kfId: String!
  uuid: UUID!
  name: String!
  description: String!
  url: String!
  author: String!
  lastOkStatus: Int!
  enabled: Boolean!
  createdAt: DateTime!
  healthStatus: String
  tasks(${PAGING}): TaskNodeConnection!
  events(${PAGING}): EventNodeConnection!
}
type EventNode implements Node {
  id: ID!
  kfId: String!
  uuid: UUID!
  eventType: EventEventType!
  message: String!
  createdAt: DateTime!
  release: ReleaseNode
  taskService: TaskServiceNode
  task: TaskNode
}
type ReleaseNoteNode implements Node {
  id: ID!
  kfId: String!
  uuid: UUID!
  author: String!
  description: String!
  createdAt: DateTime!
  release: ReleaseNode!
  study: StudyNode
}
type StudyNode implements Node {
  id: ID!
  kfId: String!
  name: String!
  visible: Boolean!
  deleted: Boolean!
  createdAt: DateTime
  notes(${PAGING}): ReleaseNoteNodeConnection!
  releases(${RELEASES}): ReleaseNodeConnection
}
type UserNode implements Node {
  id: ID!
  username: String!
  email: String!
  firstName: String!
  lastName: String!
  picture: String!
  slackNotify: Boolean!
  slackMemberId: String!
  dateJoined: DateTime!
  lastLogin: DateTime
  roles: [String]
  groups: [String]
}
type Status {
  name: String
  version: String
  commit: String
}`

const QUERIES = `
type Query {
  release(id: ID!): ReleaseNode
  task(id: ID!): TaskNode
  taskService(id: ID!): TaskServiceNode
  event(id: ID!): EventNode
  study(id: ID!): StudyNode
  releaseNote(id: ID!): ReleaseNoteNode
  allReleases(${RELEASES}): ReleaseNodeConnection
  allTasks(kfId: String, state: String, release: String, taskService: String, ${CREATED}, ${PAGING}): TaskNodeConnection
  allTaskServices(author: String, name: String, url: String, description: String, enabled: Boolean, nameContains: String,
    ${CREATED}, ${PAGING}): TaskServiceNodeConnection
  allEvents(eventType: String, release: ID, taskService: ID, task: ID, messageContains: String,
    ${CREATED}, ${PAGING}): EventNodeConnection
  allReleaseNotes(kfId: String, author: String, release: ID, study: ID, ${CREATED}, ${PAGING}): ReleaseNoteNodeConnection
  allStudies(kfId: String, visible: Boolean, deleted: Boolean, nameContains: String,
    ${CREATED}, ${PAGING}): StudyNodeConnection
  allUsers(${USERS}): UserNodeConnection
  myProfile: UserNode
  status: Status
}`

const MUTATIONS = `
input ReleaseInput {
  name: String!
  description: String
  isMajor: Boolean
  studies: [ID]!
}
input UpdateReleaseInput {
  name: String
  description: String
}
input TaskServiceInput {
  name: String!
  url: String!
  description: String
  enabled: Boolean
}
input ReleaseNoteInput {
  description: String!
  study: ID!
  release: ID!
}
input UpdateReleaseNoteInput {
  description: String!
}
type StartRelease { release: ReleaseNode }
type UpdateRelease { release: ReleaseNode }
type CancelRelease { release: ReleaseNode }
type PublishRelease { release: ReleaseNode }
type CreateTaskService { taskService: TaskServiceNode }
type UpdateTaskService { taskService: TaskServiceNode }
type CreateReleaseNote { releaseNote: ReleaseNoteNode }
type UpdateReleaseNote { releaseNote: ReleaseNoteNode }
type RemoveReleaseNote { success: Boolean }
type SyncStudies {
  new(${PAGING}): StudyNodeConnection
  deleted(${PAGING}): StudyNodeConnection
}
type Mutation {
  startRelease(input: ReleaseInput!): StartRelease
  updateRelease(release: ID!, input: UpdateReleaseInput!): UpdateRelease
  cancelRelease(release: ID!): CancelRelease
  publishRelease(release: ID!): PublishRelease
  createTaskService(input: TaskServiceInput!): CreateTaskService
  updateTaskService(taskService: ID!, input: TaskServiceInput!): UpdateTaskService
  createReleaseNote(input: ReleaseNoteInput!): CreateReleaseNote
  updateReleaseNote(releaseNote: ID!, input: UpdateReleaseNoteInput!): UpdateReleaseNote
  removeReleaseNote(releaseNote: ID!): RemoveReleaseNote
  syncStudies: SyncStudies
}`

const WITH_LISTS = [
  'ReleaseNode',
  'TaskNode',
  'TaskServiceNode',
  'EventNode',
  'ReleaseNoteNode',
  'StudyNode',
  'UserNode',
]

/**
 * The GraphQL API in the words of its clients: they keep what they read under these type names, and ask by these
 * argument names (GQ-1). docs/schema.graphql is printed from here.
 */
export const SDL = `
scalar DateTime
scalar UUID
enum EventEventType { INFO WARNING ERROR }
interface Node { id: ID! }
type PageInfo {
  hasNextPage: Boolean!
  hasPreviousPage: Boolean!
  startCursor: String
  endCursor: String
}
${NODES}
${WITH_LISTS.map(connection).join('')}
${QUERIES}
${MUTATIONS}
`
