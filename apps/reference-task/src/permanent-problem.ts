/**
 * Trying again cannot solve it: a person must change a setting or the input. `task.ts` hands it on as the SDK's
 * `PermanentError`; the other files know only this class, so that each of them runs without a task service.
 */
export class PermanentProblem extends Error {
  override readonly name = 'PermanentProblem'
}
