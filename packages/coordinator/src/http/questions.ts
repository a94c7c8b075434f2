import type { ListedTask } from '../store.ts'

interface Line<Answer> {
  readonly running: Promise<Answer>
  next: Promise<Answer> | null
}

/**
 * One question under way for each task and at most one more that waits, however many ask: anybody may send a hint, and
 * none may make the coordinator flood a service. An answer is always to a question that was put after the call.
 */
export function createQuestions<Answer>(
  ask: (listed: ListedTask) => Promise<Answer>,
): (listed: ListedTask) => Promise<Answer> {
  const lines = new Map<string, Line<Answer>>()

  function begin(listed: ListedTask): Promise<Answer> {
    const { id } = listed.task
    const running = ask(listed).finally(() => {
      if (lines.get(id)?.next === null) lines.delete(id)
    })
    lines.set(id, { running, next: null })
    return running
  }

  return (listed) => {
    const line = lines.get(listed.task.id)
    if (!line) return begin(listed)
    const again = () => begin(listed)
    // The one under way may have been put before what the caller means happened.
    line.next ??= line.running.then(again, again)
    return line.next
  }
}
