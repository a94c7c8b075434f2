import { command } from 'release-task'

export default command({
  name: '{{name}}',
  version: '1.0.0',
  cwd: import.meta.dirname,
  stage: ['sh', 'stage.sh'],
  publish: ['sh', 'publish.sh'],
  discard: ['sh', 'discard.sh'],
})
