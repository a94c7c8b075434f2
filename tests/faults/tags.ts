// How a release tells the task of the fault suite what to do: in its tags, which every service can read.

export interface TaskPlan {
  readonly stageMs: number
  readonly publishMs: number
  readonly isFlaky: boolean
  /** Its code does not obey when it is told to stop. */
  readonly isStubborn: boolean
  /** Name of the service whose stage fails for good; null: none. */
  readonly fails: string | null
}

export function writeTags({ stageMs, publishMs, isFlaky, isStubborn, fails }: TaskPlan): string[] {
  return [
    `stage:${stageMs}`,
    `publish:${publishMs}`,
    ...(isFlaky ? ['flaky'] : []),
    ...(isStubborn ? ['stubborn'] : []),
    ...(fails === null ? [] : [`fails:${fails}`]),
  ]
}

export function readTags(tags: unknown): TaskPlan {
  const texts = Array.isArray(tags) ? tags.map(String) : []
  const value = (name: string) =>
    texts.find((text) => text.startsWith(`${name}:`))?.slice(name.length + 1) ?? null
  return {
    stageMs: Number(value('stage') ?? 0),
    publishMs: Number(value('publish') ?? 0),
    isFlaky: texts.includes('flaky'),
    isStubborn: texts.includes('stubborn'),
    fails: value('fails'),
  }
}
