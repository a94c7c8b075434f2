import { idOf, type ReleaseEvent } from './api-types.ts'

/** The beginning of the keys of queries; all that begin so are meant. */
export type KeyPrefix = readonly string[]

/** Which queries an event makes old, and no others. Pure. */
export function touchedBy(
  event: Pick<ReleaseEvent, 'release' | 'task' | 'task_service' | 'message'>,
): KeyPrefix[] {
  const release = idOf(event.release)
  const keys: KeyPrefix[] = [['events']]
  if (release !== null) keys.push(['release', release], ['releases'])
  if (event.task !== null) keys.push(['tasks'])
  if (release === null && event.task_service !== null) keys.push(['task-services'])
  // The version of a study is told by its releases.
  if (event.task === null && event.message.endsWith(' to published')) keys.push(['studies'])
  return keys
}

/** The keys that several events touch, each once. Pure. */
export function touchedByAll(events: readonly Parameters<typeof touchedBy>[0][]): KeyPrefix[] {
  const byText = new Map(events.flatMap(touchedBy).map((key) => [JSON.stringify(key), key]))
  return [...byText.values()]
}
