import {
  Counter,
  type CounterConfiguration,
  collectDefaultMetrics,
  Gauge,
  type GaugeConfiguration,
  Histogram,
  type HistogramConfiguration,
  Registry,
} from 'prom-client'

export interface MetricsOptions {
  /** Put before every name, such as `pds_`. */
  readonly prefix?: string
  /** Add what Node knows of the process: memory, processor time, event-loop lag. Default false. */
  readonly process?: boolean
}

type Registered<Configuration> = Omit<Configuration, 'registers'>

/** One service's metrics. Nothing is registered globally, so services can share a process. */
export interface Metrics {
  counter<Label extends string = never>(options: Registered<CounterConfiguration<Label>>): Counter<Label>
  gauge<Label extends string = never>(options: Registered<GaugeConfiguration<Label>>): Gauge<Label>
  histogram<Label extends string = never>(
    options: Registered<HistogramConfiguration<Label>>,
  ): Histogram<Label>
  /** All of them in Prometheus' text format. */
  text(): Promise<string>
  /** Answers `GET /metrics`: give it to `serve`, on a listener of its own. */
  fetch(request: Request): Promise<Response>
}

export function createMetrics({ prefix = '', process = false }: MetricsOptions = {}): Metrics {
  const registry = new Registry()
  if (process) collectDefaultMetrics({ register: registry, prefix })
  const registered = <Configuration extends { name: string }>(options: Configuration) => ({
    ...options,
    name: prefix + options.name,
    registers: [registry],
  })
  return {
    counter: (options) => new Counter(registered(options)),
    gauge: (options) => new Gauge(registered(options)),
    histogram: (options) => new Histogram(registered(options)),
    text: () => registry.metrics(),
    fetch: async (request) => {
      if (new URL(request.url).pathname !== '/metrics')
        return new Response('Metrics are at /metrics\n', { status: 404 })
      return new Response(await registry.metrics(), { headers: { 'content-type': registry.contentType } })
    },
  }
}
