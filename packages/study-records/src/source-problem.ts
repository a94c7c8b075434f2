/** Rows are missing, or a setting is wrong: trying again cannot help, a person must change something. */
export class SourceProblem extends Error {
  override readonly name = 'SourceProblem'
}
