/** What a user of the command line may do where REFERENCE_REQUIRED is thrown. Others are told in their own terms. */
export const REFERENCE_ADVICE = "Give a healthy recording of the same device and settings with -r.";
