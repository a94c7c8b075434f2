// The same as `release-task serve --stage 'python3 stage.py' …` in this folder, for whoever has a task file: `dev` takes
// several of them.
import { command } from '@release-task/task-service'

export default command({
  name: 'participants',
  version: '1.0.0',
  cwd: import.meta.dirname,
  stage: ['python3', 'stage.py'],
  publish: ['python3', 'publish.py'],
  discard: ['python3', 'discard.py'],
})
