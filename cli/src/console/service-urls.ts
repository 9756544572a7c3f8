/** Base addresses of the services that the console shows. It knows them by these, and by nothing else. */
export interface ServiceUrls {
  readonly plc: string
  readonly pds: string
  readonly relay: string
  readonly jetstream: string
}
