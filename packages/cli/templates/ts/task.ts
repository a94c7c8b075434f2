import { copyFile, mkdir, rm, writeFile } from 'node:fs/promises'
import { defineTask } from 'release-task'

export default defineTask({
  name: '{{name}}',
  version: '1.0.0',
  // Prepare; nothing may be public yet. Run again after a crash, as another attempt.
  async stage(task) {
    await mkdir(`out/staging/${task.releaseId}`, { recursive: true })
    const file = `out/staging/${task.releaseId}/${task.attempt}.json`
    await writeFile(file, JSON.stringify(task.studies))
    task.progress(100, 'written')
    return { summary: { studies: task.studies.length }, staged: file }
  },
  // Make it public. May be run again after it was done.
  async publish(task) {
    await mkdir('out/public', { recursive: true })
    await task.assertCurrent()
    await copyFile(`${task.staged}`, `out/public/${task.releaseId}.json`)
  },
  // Canceled or failed: undo.
  async discard(task) {
    await rm(`out/staging/${task.releaseId}`, { recursive: true, force: true })
    await rm(`out/public/${task.releaseId}.json`, { force: true })
  },
})
