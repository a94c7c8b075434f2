export {
  defineTask,
  PermanentError,
  type CoordinatorAccess,
  type DiscardContext,
  type Json,
  type PublishContext,
  type Release,
  type StageContext,
  type StageResult,
  type Study,
  type TaskContext,
  type TaskCoordinator,
  type TaskDefinition,
  type TaskDefinitionState,
  type TaskLog,
} from './define.ts'
export { readConfig, TASK_SERVICE_SETTINGS, type TaskServiceConfig } from './config.ts'
export { TASK_SERVICE_ERRORS, TaskServiceError, type TaskServiceErrorCode } from './errors.ts'
export { createTaskService, type ServiceParts, type TaskService } from './service.ts'
export { serve, type Served } from './serve.ts'
export { command, type CommandOptions, type Program } from './command.ts'
