import { listen } from '@release-task/http'
import { expect, onTestFinished } from 'vitest'
import {
  Fixture,
  type FakeService,
  type FixtureOptions,
  type Handler,
  type Latch,
  type Response,
} from '../../packages/coordinator/src/coordinator.fixture.ts'

export {
  answers,
  eventually,
  latch,
  nextMillisecond,
  STUDY,
  type FakeService,
  type Handler,
} from '../../packages/coordinator/src/coordinator.fixture.ts'

type Registered = FakeService & { readonly id: string }

/** The coordinator of its own tests, on a port: everything here goes through a real connection. */
export class WiredCoordinator extends Fixture {
  url = ''
  /** Sent with every call that brings no headers of its own. */
  token: string | null = null

  override async live(env: Record<string, string> = {}): Promise<void> {
    await super.live(env)
    this.url = await listen(this.coordinator.app, { host: '127.0.0.1', port: 0, auth: null })
  }

  override async call(
    method: string,
    path: string,
    payload?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Response> {
    const isText = typeof payload === 'string'
    const response = await fetch(`${this.url}${path}`, {
      method,
      redirect: 'manual',
      headers: {
        ...(payload === undefined || isText ? {} : { 'content-type': 'application/json' }),
        ...(this.token === null ? {} : { authorization: `Bearer ${this.token}` }),
        ...headers,
      },
      ...(payload === undefined ? {} : { body: isText ? payload : JSON.stringify(payload) }),
    })
    const text = await response.text()
    const isJson = response.headers.get('content-type')?.includes('json') && text !== ''
    return {
      code: response.status,
      body: isJson ? JSON.parse(text) : text,
      headers: Object.fromEntries(response.headers),
    }
  }

  /** A release whose tasks all run. */
  async running(fields: object = {}): Promise<string> {
    const id = await this.issue(fields)
    await this.tasksReach(id, 'running')
    return id
  }

  /** A release whose tasks are all staged. */
  async staged(services: readonly FakeService[], fields: object = {}): Promise<string> {
    const id = await this.running(fields)
    await this.reportAll(services, 'staged')
    await this.reaches(id, 'staged')
    return id
  }

  /** A release whose tasks all publish. */
  async publishing(services: readonly FakeService[], fields: object = {}): Promise<string> {
    const id = await this.staged(services, fields)
    await this.publish(id)
    await this.tasksReach(id, 'publishing')
    return id
  }

  reportAll(services: readonly FakeService[], state: string): Promise<Response[]> {
    return Promise.all(services.map((service) => this.report(service.task(), { state, progress: 100 })))
  }

  /** The states of the tasks of a release, in the order of their services. */
  async taskStates(id: string, services: readonly FakeService[]): Promise<string[]> {
    const { tasks } = await this.release(id)
    return services.map(({ name }) => tasks.find((task: any) => task.service_name === name)?.state)
  }

  /** The ways that a release and its tasks went, by the events: each must begin where the last one ended. */
  async moves(id: string): Promise<{ release: string[]; tasks: string[][] }> {
    const [events, release] = [await this.events(id), await this.release(id)]
    return {
      release: chain(events, id, release.state),
      tasks: release.tasks.map((task: any) => chain(events, task.kf_id, task.state)),
    }
  }
}

function chain(events: readonly string[], id: string, state: string): string[] {
  const pattern = new RegExp(`^(?:info|error): (?:release|task) ${id}\\b.* changed from (\\w+) to (\\w+)$`)
  const states: string[] = []
  for (const event of events) {
    const [, from = '', to = ''] = pattern.exec(event) ?? []
    if (from === '') continue
    if (states.length > 0) expect(from, event).toBe(states.at(-1))
    else states.push(from)
    states.push(to)
  }
  // From the first state to what is shown: nothing was moved without an event.
  expect([states[0], states.at(-1)]).toEqual(['waiting', state])
  return states
}

const QUIET = { RATE_LIMIT: '0' }

/** A coordinator for one test, which ends with it. */
export async function openCoordinator(options: FixtureOptions = {}): Promise<WiredCoordinator> {
  const coordinator = new WiredCoordinator({ ...options, env: { ...QUIET, ...options.env } })
  onTestFinished(() => coordinator.close())
  await coordinator.live()
  return coordinator
}

/** The same, and services that take part in every release. */
export async function openWith(
  count: number,
  options: FixtureOptions = {},
): Promise<{ coordinator: WiredCoordinator; services: readonly Registered[]; service: Registered }> {
  const coordinator = await openCoordinator(options)
  const services = await coordinator.registerMany(count)
  return { coordinator, services, service: services[0]! }
}

/** Answers as it would have, once the latch is open. */
export const heldBy =
  ({ reached }: Pick<Latch, 'reached'>, answer?: Handler): Handler =>
  async (service, request) => {
    await reached
    return answer ? answer(service, request) : service.act(request)
  }

/** The same handler for more requests than there will be. */
export const always = (handler: Handler): Handler[] => Array.from({ length: 500 }, () => handler)

/** Never heard of by whoever asks: the connection ends without an answer. */
export const cut: Handler = () => 'cut'
