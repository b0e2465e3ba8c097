import { REFERENCE_ADVICE } from "../../repair/reference-advice.ts";

const JOB_ADVICE = "Name a healthy recording of the same device and settings among the job's references.";

/** A message with the advice for jobs, where it has the one for the command line. */
export function adviseJob(message: string): string {
  return adviseOtherwise(message, JOB_ADVICE);
}

/** A message with another advice, where it tells to give a reference on the command line or to a job. */
export function adviseOtherwise(message: string, advice: string): string {
  return message.replaceAll(REFERENCE_ADVICE, () => advice).replaceAll(JOB_ADVICE, () => advice);
}
