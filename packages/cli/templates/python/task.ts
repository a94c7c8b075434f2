import { command } from 'release-task'

export default command({
  name: '{{name}}',
  version: '1.0.0',
  cwd: import.meta.dirname,
  stage: ['python3', 'stage.py'],
  publish: ['python3', 'publish.py'],
  discard: ['python3', 'discard.py'],
})
