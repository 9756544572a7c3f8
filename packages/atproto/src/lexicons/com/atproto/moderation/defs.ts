// Generated from schema documents. Do not edit: change the document, then generate anew.

import type { Issue, Mode, Schema } from '@imago/lexicon/runtime'
import { fail, schema } from '@imago/lexicon/runtime'

export type ReasonType =
  | 'com.atproto.moderation.defs#reasonSpam'
  | 'com.atproto.moderation.defs#reasonViolation'
  | 'com.atproto.moderation.defs#reasonMisleading'
  | 'com.atproto.moderation.defs#reasonSexual'
  | 'com.atproto.moderation.defs#reasonRude'
  | 'com.atproto.moderation.defs#reasonOther'
  | 'com.atproto.moderation.defs#reasonAppeal'
  | 'tools.ozone.report.defs#reasonAppeal'
  | 'tools.ozone.report.defs#reasonOther'
  | 'tools.ozone.report.defs#reasonViolenceAnimal'
  | 'tools.ozone.report.defs#reasonViolenceThreats'
  | 'tools.ozone.report.defs#reasonViolenceGraphicContent'
  | 'tools.ozone.report.defs#reasonViolenceGlorification'
  | 'tools.ozone.report.defs#reasonViolenceExtremistContent'
  | 'tools.ozone.report.defs#reasonViolenceTrafficking'
  | 'tools.ozone.report.defs#reasonViolenceOther'
  | 'tools.ozone.report.defs#reasonSexualAbuseContent'
  | 'tools.ozone.report.defs#reasonSexualNCII'
  | 'tools.ozone.report.defs#reasonSexualDeepfake'
  | 'tools.ozone.report.defs#reasonSexualAnimal'
  | 'tools.ozone.report.defs#reasonSexualUnlabeled'
  | 'tools.ozone.report.defs#reasonSexualOther'
  | 'tools.ozone.report.defs#reasonChildSafetyCSAM'
  | 'tools.ozone.report.defs#reasonChildSafetyGroom'
  | 'tools.ozone.report.defs#reasonChildSafetyPrivacy'
  | 'tools.ozone.report.defs#reasonChildSafetyHarassment'
  | 'tools.ozone.report.defs#reasonChildSafetyOther'
  | 'tools.ozone.report.defs#reasonHarassmentTroll'
  | 'tools.ozone.report.defs#reasonHarassmentTargeted'
  | 'tools.ozone.report.defs#reasonHarassmentHateSpeech'
  | 'tools.ozone.report.defs#reasonHarassmentDoxxing'
  | 'tools.ozone.report.defs#reasonHarassmentOther'
  | 'tools.ozone.report.defs#reasonMisleadingBot'
  | 'tools.ozone.report.defs#reasonMisleadingImpersonation'
  | 'tools.ozone.report.defs#reasonMisleadingSpam'
  | 'tools.ozone.report.defs#reasonMisleadingScam'
  | 'tools.ozone.report.defs#reasonMisleadingElections'
  | 'tools.ozone.report.defs#reasonMisleadingOther'
  | 'tools.ozone.report.defs#reasonRuleSiteSecurity'
  | 'tools.ozone.report.defs#reasonRuleProhibitedSales'
  | 'tools.ozone.report.defs#reasonRuleBanEvasion'
  | 'tools.ozone.report.defs#reasonRuleOther'
  | 'tools.ozone.report.defs#reasonSelfHarmContent'
  | 'tools.ozone.report.defs#reasonSelfHarmED'
  | 'tools.ozone.report.defs#reasonSelfHarmStunts'
  | 'tools.ozone.report.defs#reasonSelfHarmSubstances'
  | 'tools.ozone.report.defs#reasonSelfHarmOther'
  | (string & {})

export function checkReasonType(v: unknown, m: Mode): Issue | undefined {
  return typeof v !== 'string' ? fail('', v, 'a string') : undefined
}

export const reasonType: Schema<ReasonType> = /*#__PURE__*/ schema(checkReasonType, 'com.atproto.moderation.defs#reasonType')

export type ReasonSpam = 'com.atproto.moderation.defs#reasonSpam'
export const reasonSpam: ReasonSpam = 'com.atproto.moderation.defs#reasonSpam'

export type ReasonViolation = 'com.atproto.moderation.defs#reasonViolation'
export const reasonViolation: ReasonViolation = 'com.atproto.moderation.defs#reasonViolation'

export type ReasonMisleading = 'com.atproto.moderation.defs#reasonMisleading'
export const reasonMisleading: ReasonMisleading = 'com.atproto.moderation.defs#reasonMisleading'

export type ReasonSexual = 'com.atproto.moderation.defs#reasonSexual'
export const reasonSexual: ReasonSexual = 'com.atproto.moderation.defs#reasonSexual'

export type ReasonRude = 'com.atproto.moderation.defs#reasonRude'
export const reasonRude: ReasonRude = 'com.atproto.moderation.defs#reasonRude'

export type ReasonOther = 'com.atproto.moderation.defs#reasonOther'
export const reasonOther: ReasonOther = 'com.atproto.moderation.defs#reasonOther'

export type ReasonAppeal = 'com.atproto.moderation.defs#reasonAppeal'
export const reasonAppeal: ReasonAppeal = 'com.atproto.moderation.defs#reasonAppeal'

export type SubjectType = 'account' | 'record' | 'chat' | (string & {})

export function checkSubjectType(v: unknown, m: Mode): Issue | undefined {
  return typeof v !== 'string' ? fail('', v, 'a string') : undefined
}

export const subjectType: Schema<SubjectType> = /*#__PURE__*/ schema(checkSubjectType, 'com.atproto.moderation.defs#subjectType')
