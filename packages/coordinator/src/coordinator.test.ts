import { afterEach, describe, expect, test } from 'vitest'
import {
  answers,
  eventually,
  Fixture,
  latch,
  lost,
  STUDY,
  type FakeService,
  type FixtureOptions,
  type Handler,
} from './coordinator.fixture.ts'

let fixture: Fixture

afterEach(() => fixture.close())

async function setUp(count: number, options: FixtureOptions = {}) {
  fixture = await Fixture.start(options)
  return fixture.registerMany(count)
}

/** Every service reports that its task is done. */
const reportAll = (services: readonly FakeService[], state: string) =>
  Promise.all(services.map((service) => fixture.report(service.task(), { state, progress: 100 })))

/** A release whose tasks are all staged. */
async function staged(services: readonly FakeService[], fields: object = {}): Promise<string> {
  const id = await fixture.issue(fields)
  await fixture.tasksReach(id, 'running')
  await reportAll(services, 'staged')
  await fixture.reaches(id, 'staged')
  return id
}

const statesOf = (release: any) => release.tasks.map((task: any) => task.state)

describe('a release that goes well', () => {
  test('three services: every move in order, every action once, the version raised at the end (RC-31, RC-32)', async () => {
    const services = await setUp(3)
    const id = await fixture.issue({ is_major: true })
    await fixture.tasksReach(id, 'running')
    const [one] = services
    expect(one?.received[0]).toEqual({
      action: 'initialize',
      task_id: one?.task(),
      release_id: id,
      studies: [STUDY],
    })
    await reportAll(services, 'staged')
    expect(await fixture.release(id)).toMatchObject({ state: 'staged', version: '0.0.0' })
    expect(await fixture.publish(id)).toMatchObject({ code: 200, body: { message: 'publishing' } })
    await fixture.tasksReach(id, 'publishing')
    await reportAll(services, 'published')
    const release = await fixture.release(id)
    expect(release).toMatchObject({ state: 'published', version: '1.0.0', waiting_for: null })
    expect(release.partially_published).toEqual([])
    for (const service of services) expect(service.actions()).toEqual(['initialize', 'start', 'publish'])
    const events = await fixture.events(id)
    expect(events.filter((event) => event.startsWith('info: release'))).toEqual([
      `info: release ${id}, version 0.0.0 changed from waiting to initializing`,
      `info: release ${id}, version 0.0.0 changed from initializing to running`,
      `info: release ${id}, version 0.0.0 changed from running to staged`,
      `info: release ${id}, version 0.0.0 changed from staged to publishing`,
      `info: release ${id}, version 1.0.0 changed from publishing to published`,
    ])
    const task = one?.task() ?? ''
    expect(events.filter((event) => event.includes(task))).toEqual([
      `info: task ${task} changed from waiting to initialized`,
      `info: task ${task} changed from initialized to running`,
      `info: task ${task} changed from running to staged`,
      `info: task ${task} changed from staged to publishing`,
      `info: task ${task} changed from publishing to published`,
    ])
  })

  test('two last tasks that report at once: the release is staged, and published, all the same', async () => {
    const services = await setUp(2)
    const id = await fixture.issue()
    await fixture.tasksReach(id, 'running')
    expect((await reportAll(services, 'staged')).map((answer) => answer.code)).toEqual([200, 200])
    expect((await fixture.release(id)).state).toBe('staged')
    await fixture.publish(id)
    await fixture.tasksReach(id, 'publishing')
    await reportAll(services, 'published')
    expect((await fixture.release(id)).state).toBe('published')
  })

  test('no enabled service: staged at once with a warning, and published at once', async () => {
    const [service] = await setUp(1)
    await fixture.call('PATCH', `/task-services/${service?.id}`, { enabled: false })
    const id = await fixture.issue()
    const release = await fixture.reaches(id, 'staged')
    expect(release.tasks).toEqual([])
    expect((await fixture.events(id)).filter((event) => event.startsWith('warning'))).toHaveLength(1)
    await fixture.publish(id)
    expect((await fixture.release(id)).state).toBe('published')
    expect(service?.received).toEqual([])
  })

  test('two releases staged side by side and both published get versions of their own, and a warning', async () => {
    const [service] = await setUp(1)
    const one = await fixture.issue()
    await fixture.tasksReach(one, 'running')
    await fixture.report(service?.task() ?? '', { state: 'staged' })
    const two = await fixture.issue()
    await fixture.tasksReach(two, 'running')
    await fixture.report(service?.task() ?? '', { state: 'staged' })
    const versions = async () => [(await fixture.release(one)).version, (await fixture.release(two)).version]
    expect(await versions()).toEqual(['0.0.0', '0.0.1'])
    expect((await fixture.events(one)).some((event) => event.startsWith('warning'))).toBe(false)
    expect((await fixture.events(two))[0]).toMatch(new RegExp(`^warning: .*${one}`))
    await Promise.all([fixture.publish(one), fixture.publish(two)])
    await Promise.all([fixture.tasksReach(one, 'publishing'), fixture.tasksReach(two, 'publishing')])
    const tasks = (await fixture.call('GET', '/tasks')).body.results
    await Promise.all(tasks.map((task: any) => fixture.report(task.kf_id, { state: 'published' })))
    expect((await versions()).toSorted()).toEqual(['0.1.0', '0.2.0'])
  })

  test('of releases created at the same time, all but the first are warned of', async () => {
    await setUp(0)
    const ids = await Promise.all([1, 2, 3].map(() => fixture.issue()))
    const events = await Promise.all(ids.map((id) => fixture.events(id)))
    const warned = events.filter((list) => list.some((event) => event.includes('shares studies')))
    expect(warned).toHaveLength(2)
    const versions = await Promise.all(ids.map(async (id) => (await fixture.release(id)).version))
    expect(versions.toSorted()).toEqual(['0.0.0', '0.0.1', '0.0.2'])
  })
})

describe('services that refuse or do not answer', () => {
  test('initialize refused: rejected, failed, with the reason; all are told cancel (RC-31)', async () => {
    const [one, two] = await setUp(2)
    one!.script.initialize = [answers(422, { message: 'no such study' })]
    one!.script.cancel = [answers(404)]
    const id = await fixture.issue()
    const release = await fixture.reaches(id, 'failed')
    const byService = new Map(release.tasks.map((task: any) => [task.service_name, task]))
    expect(byService.get(one!.name)).toMatchObject({
      state: 'rejected',
      last_error: expect.stringContaining('no such study'),
    })
    expect(byService.get(two!.name)).toMatchObject({ state: 'canceled' })
    expect(release.reason).toContain('no such study')
    expect(await fixture.events(id)).toContain(
      'error: request to initialize task failed: answered 422: {"message":"no such study"}',
    )
    // A service that refused is told cancel as well: it may have begun all the same (RC-19).
    expect(one!.actions()).toEqual(['initialize', 'cancel'])
    expect(two!.actions()).not.toContain('start')
  })

  test('initialize 500 twice, then fine: asked in between, and nothing fails', async () => {
    const [service] = await setUp(1)
    service!.script.initialize = [answers(500), answers(500)]
    const id = await fixture.issue()
    await fixture.tasksReach(id, 'running')
    expect(service!.received.map((one) => one.action)).toEqual([
      'initialize',
      'get_status',
      'initialize',
      'get_status',
      'initialize',
      'start',
    ])
    expect(service!.done).toEqual(['initialize', 'start'])
  })

  test('an answer that is lost after the service acted: it is asked, and does not act twice (RC-8)', async () => {
    const [service] = await setUp(1)
    Object.assign(service!.script, { initialize: [lost], start: [lost], publish: [lost] })
    const id = await fixture.issue()
    await fixture.tasksReach(id, 'running')
    await fixture.report(service!.task(), { state: 'staged' })
    await fixture.publish(id)
    await fixture.tasksReach(id, 'publishing')
    expect(service!.done).toEqual(['initialize', 'start', 'publish'])
    expect(service!.actions()).toEqual(['initialize', 'start', 'publish'])
  })

  test('a service that hangs is not waited for longer than ACTION_DEADLINE; what it did is canceled', async () => {
    const [service] = await setUp(1, { env: { REQUEST_TIMEOUT: '300ms', ACTION_DEADLINE: '800ms' } })
    const release = latch()
    const hang: Handler = async () => {
      await release.reached
      return 'cut' as const
    }
    service!.script.start = [
      (self, request) => {
        self.script.get_status = Array.from({ length: 50 }, () => hang)
        return hang(self, request)
      },
    ]
    const id = await fixture.issue()
    const ended = await fixture.reaches(id, 'failed')
    release.open()
    expect(ended.reason).toContain('not within its deadline')
    expect(service!.actions()).toEqual(['initialize', 'start', 'cancel'])
  })

  test('start answered with staged passes through running (F-21)', async () => {
    const [service] = await setUp(1)
    service!.script.start = [answers(200, { state: 'staged' })]
    const id = await fixture.issue()
    await fixture.reaches(id, 'staged')
    expect((await fixture.events(id)).filter((event) => event.includes('task'))).toEqual([
      `info: task ${service!.task()} changed from waiting to initialized`,
      `info: task ${service!.task()} changed from initialized to running`,
      `info: task ${service!.task()} changed from running to staged`,
    ])
  })

  test('publish refused: the release fails, what is published stays so and is named (RC-22)', async () => {
    const [one, two] = await setUp(2)
    const id = await staged([one!, two!])
    one!.script.publish = [answers(200, { state: 'published' })]
    const held = latch()
    two!.script.publish = [
      async () => {
        await held.reached
        return { status: 400, body: { message: 'disk full' } }
      },
    ]
    await fixture.publish(id)
    await eventually(
      () => fixture.release(id),
      (release) => statesOf(release).includes('published'),
    )
    held.open()
    const release = await fixture.reaches(id, 'failed')
    expect(release.partially_published).toEqual([one!.task()])
    expect(release.version).toBe('0.0.0')
    expect(await fixture.events(id)).toContain(
      `warning: release ${id} was partially published: ${one!.task()}`,
    )
    expect(one!.actions()).not.toContain('cancel')
  })

  test('a service that goes away for good: refused at the deadline; it could not be deleted meanwhile (RC-7, RC-35)', async () => {
    const [service] = await setUp(1, { env: { ACTION_DEADLINE: '300ms' } })
    const hold = latch()
    service!.script.initialize = [
      async () => {
        await hold.reached
        return 'cut' as const
      },
    ]
    const id = await fixture.issue()
    await service!.asked('initialize')
    expect((await fixture.call('DELETE', `/task-services/${service!.id}`)).code).toBe(409)
    await service!.close()
    hold.open()
    expect((await fixture.reaches(id, 'failed')).reason).toContain('not within its deadline')
  })
})

describe('reports that overtake answers', () => {
  /** Does it, reports the end of the work before it answers, and only then answers. */
  const reportFirst =
    (state: string): Handler =>
    async (service, request) => {
      const answer = service.act(request)
      service.states.set(request.task_id, state)
      expect((await fixture.report(request.task_id, { state, progress: 100 })).code).toBe(200)
      return answer
    }

  test('staged before the answer to start is not lost (F-01)', async () => {
    const [service] = await setUp(1)
    service!.script.start = [reportFirst('staged')]
    const id = await fixture.issue()
    await fixture.reaches(id, 'staged')
    await service!.until(() => service!.done.includes('start'))
    await fixture.publish(id)
    await fixture.tasksReach(id, 'publishing')
    expect(statesOf(await fixture.release(id))).toEqual(['publishing'])
  })

  test('published before the answer to publish is not lost (F-02)', async () => {
    const [service] = await setUp(1)
    const id = await staged([service!])
    service!.script.publish = [reportFirst('published')]
    await fixture.publish(id)
    const release = await fixture.reaches(id, 'published')
    expect(statesOf(release)).toEqual(['published'])
    await fixture.restart()
    expect(statesOf(await fixture.release(id))).toEqual(['published'])
  })
})

describe('cancel', () => {
  test('while start is in flight: cancel follows, and no start after it (RC-5, F-07)', async () => {
    const services = await setUp(2)
    const [one, two] = services
    const hold = latch()
    one!.script.start = [
      async (service, request) => {
        await hold.reached
        return service.act(request)
      },
    ]
    const id = await fixture.issue()
    await one!.asked('start')
    expect((await fixture.cancel(id)).body.state).toBe('canceling')
    await two!.asked('cancel')
    expect(one!.actions()).toEqual(['initialize', 'start'])
    hold.open()
    const release = await fixture.reaches(id, 'canceled')
    expect(statesOf(release)).toEqual(['canceled', 'canceled'])
    for (const service of services) expect(service.actions().at(-1)).toBe('cancel')
  })

  test('while the coordinator asks after a lost answer: the action is not repeated (RC-5, F-07)', async () => {
    const [service] = await setUp(1)
    service!.script.start = [() => 'cut']
    const hold = latch()
    service!.script.get_status = [
      async () => {
        await hold.reached
        return { body: { state: 'pending' } }
      },
    ]
    const id = await fixture.issue()
    await service!.asked('get_status')
    await fixture.cancel(id)
    hold.open()
    await fixture.reaches(id, 'canceled')
    expect(service!.actions()).toEqual(['initialize', 'start', 'cancel'])
  })

  test('while initialize is in flight (F-08)', async () => {
    const [service] = await setUp(1)
    const hold = latch()
    service!.script.initialize = [
      async (_, request) => {
        await hold.reached
        return service!.act(request)
      },
    ]
    const id = await fixture.issue()
    await service!.asked('initialize')
    await fixture.cancel(id)
    hold.open()
    const release = await fixture.reaches(id, 'canceled')
    expect(statesOf(release)).toEqual(['canceled'])
    expect(service!.actions()).toEqual(['initialize', 'cancel'])
  })

  test('while publishing with one already published: it stays, is named, and is not told cancel (RC-21)', async () => {
    const [one, two] = await setUp(2)
    const id = await staged([one!, two!])
    await fixture.publish(id)
    await fixture.tasksReach(id, 'publishing')
    await fixture.report(one!.task(), { state: 'published' })
    await fixture.cancel(id)
    const release = await fixture.reaches(id, 'canceled')
    expect(release.partially_published).toEqual([one!.task()])
    expect(release.tasks.find((task: any) => task.kf_id === one!.task()).state).toBe('published')
    expect(await fixture.events(id)).toContain(
      `warning: release ${id} was partially published: ${one!.task()}`,
    )
    expect(one!.actions()).not.toContain('cancel')
    expect(two!.actions()).toContain('cancel')
  })

  test('a service that refuses cancel because it has published: the task is published (RC-10, RC-21)', async () => {
    const [service] = await setUp(1)
    const id = await staged([service!])
    await fixture.publish(id)
    await fixture.tasksReach(id, 'publishing')
    service!.states.set(service!.task(), 'published')
    service!.script.cancel = [answers(400, { message: 'published' })]
    await fixture.cancel(id)
    const release = await fixture.reaches(id, 'canceled')
    expect([statesOf(release), release.partially_published]).toEqual([['published'], [service!.task()]])
    expect(service!.actions().filter((action) => action === 'cancel')).toHaveLength(1)
  })

  test('a service that is silent: the release ends after ACTION_DEADLINE with a warning, and hears of it later', async () => {
    const [service] = await setUp(1, { env: { ACTION_DEADLINE: '200ms' } })
    const id = await fixture.issue()
    await fixture.tasksReach(id, 'running')
    let isAway = true
    service!.script.cancel = Array.from({ length: 200 }, () => (_: FakeService, request) => {
      return isAway ? ('cut' as const) : service!.act(request)
    })
    await fixture.cancel(id)
    const release = await fixture.hurries(id, ({ state }) => state === 'canceled')
    expect(statesOf(release)).toEqual(['canceled'])
    expect(release.tasks[0].waiting_for).toMatchObject({
      whom: 'service',
      what: expect.stringContaining('cancel'),
    })
    expect((await fixture.events(id)).filter((event) => event.startsWith('warning'))).toEqual([
      expect.stringContaining(service!.id),
    ])
    isAway = false
    await service!.until(() => service!.states.get(service!.task()) === 'canceled')
    await eventually(
      () => fixture.release(id),
      ({ tasks }) => tasks[0].waiting_for === null,
    )
    expect((await fixture.release(id)).state).toBe('canceled')
  })

  test('a report that comes after the cancel is refused and changes nothing (RC-25)', async () => {
    const [service] = await setUp(1)
    const id = await fixture.issue()
    await fixture.tasksReach(id, 'running')
    await fixture.cancel(id)
    await fixture.reaches(id, 'canceled')
    expect(await fixture.report(service!.task(), { state: 'staged' })).toMatchObject({
      code: 409,
      body: { detail: expect.stringMatching(/canceled.*staged/) },
    })
    expect((await fixture.release(id)).state).toBe('canceled')
  })
})

describe('a coordinator that ends in the middle', () => {
  /** Goes through a whole release, and ends the coordinator while a service holds its answer to an action. */
  async function dieDuring(action: 'initialize' | 'start' | 'publish' | 'cancel', isHeard: boolean) {
    const [service] = await setUp(1)
    const hold = latch()
    service!.script[action] = [
      async (_, request) => {
        if (isHeard) service!.act(request)
        await hold.reached
        return 'cut' as const
      },
    ]
    const id = await fixture.issue()
    if (action === 'publish' || action === 'cancel') {
      await fixture.tasksReach(id, 'running')
      await fixture.report(service!.task(), { state: 'staged' })
      await (action === 'publish' ? fixture.publish(id) : fixture.cancel(id))
    }
    await service!.asked(action)
    await fixture.crash()
    hold.open()
    return { id, service: service! }
  }

  describe.each([true, false])('killed; the service has done what it was asked: %s', (isHeard) => {
    test.each(['initialize', 'start', 'publish'] as const)('during %s', async (action) => {
      const { id, service } = await dieDuring(action, isHeard)
      await fixture.tasksReach(id, action === 'publish' ? 'publishing' : 'running')
      if (action !== 'publish') {
        await fixture.report(service.task(), { state: 'staged' })
        await fixture.publish(id)
        await fixture.tasksReach(id, 'publishing')
      }
      await fixture.report(service.task(), { state: 'published' })
      expect((await fixture.release(id)).state).toBe('published')
      expect(service.done).toEqual(['initialize', 'start', 'publish'])
    })

    test('during cancel', async () => {
      const { id, service } = await dieDuring('cancel', isHeard)
      await fixture.reaches(id, 'canceled')
      expect(service.done.at(-1)).toBe('cancel')
      expect(service.done).not.toContain('publish')
    })
  })

  test('gracefully, between every two steps', async () => {
    const services = await setUp(2)
    const id = await fixture.issue()
    await fixture.restart()
    await fixture.tasksReach(id, 'running')
    await fixture.restart()
    await fixture.report(services[0]!.task(), { state: 'staged' })
    await fixture.restart()
    await fixture.report(services[1]!.task(), { state: 'staged' })
    await fixture.restart()
    expect((await fixture.publish(id)).code).toBe(200)
    await fixture.restart()
    await fixture.tasksReach(id, 'publishing')
    await fixture.report(services[0]!.task(), { state: 'published' })
    await fixture.restart()
    await fixture.report(services[1]!.task(), { state: 'published' })
    expect((await fixture.release(id)).state).toBe('published')
    for (const service of services) expect(service.done).toEqual(['initialize', 'start', 'publish'])
  })

  test('before a release begins, and while one is being stopped past its deadline', async () => {
    const [service] = await setUp(1, { env: { ACTION_DEADLINE: '300ms' } })
    service!.script.cancel = Array.from({ length: 200 }, () => () => 'cut' as const)
    const id = await fixture.issue()
    await fixture.tasksReach(id, 'running')
    await fixture.cancel(id)
    await fixture.crash()
    expect(statesOf(await fixture.reaches(id, 'canceled'))).toEqual(['canceled'])
  })
})

test('a service that is down joins with a warning (RC-36)', async () => {
  const [service] = await setUp(1)
  service!.status = { code: 500, body: '' }
  await eventually(
    async () => {
      await fixture.call('POST', '/task-services/health_checks')
      return (await fixture.call('GET', `/task-services/${service!.id}`)).body
    },
    (shown) => shown.health_status === 'down',
  )
  const id = await fixture.issue()
  await fixture.tasksReach(id, 'running')
  expect(await fixture.events(id)).toContainEqual(
    expect.stringMatching(new RegExp(`^warning: task service ${service!.id} is down`)),
  )
})

test('an address that changes during a release is the one that is called from then on', async () => {
  const [service] = await setUp(1)
  const id = await fixture.issue()
  await fixture.tasksReach(id, 'running')
  const moved = await fixture.fake('moved')
  moved.states.set(service!.task(), 'staged')
  expect((await fixture.call('PATCH', `/task-services/${service!.id}`, { url: moved.url })).code).toBe(200)
  await fixture.report(service!.task(), { state: 'staged' })
  await fixture.publish(id)
  await moved.asked('publish')
  expect(service!.actions()).toEqual(['initialize', 'start'])
})
