export { isConforming, type Finding, type Level, type Outcome } from './finding.ts'
export { NobodyThere } from './told.ts'
export type { TopicTold } from './topic.ts'
export {
  checkTaskService,
  TASK_SERVICE_TOPICS,
  type TaskServiceCheck,
} from './task-service/check-task-service.ts'
export {
  checkCoordinator,
  COORDINATOR_TOPICS,
  type CoordinatorCheck,
} from './coordinator/check-coordinator.ts'
export { CheckRefused } from './coordinator/refused.ts'
