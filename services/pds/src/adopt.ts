export { AdoptError, type AdoptErrorCode } from './adopt/adopt-error.ts'
export { type AdoptOptions, adoptReference } from './adopt/adopt-reference.ts'
export {
  type AdoptionProgress,
  type AdoptionReport,
  isComplete,
  type RefusedAccount,
} from './adopt/adoption-report.ts'
export { type HandBackReport, handBackToReference } from './adopt/hand-back.ts'
export {
  type VerificationReport,
  type VerifyAdoptionOptions,
  verifyAdoption,
} from './adopt/verify-adoption.ts'
