import fc from "fast-check";

// Property tests choose the same examples in every run, so that a change fails for its own sake alone. PROPERTY_SEED
// set to another number tries others.
fc.configureGlobal({ seed: Number(process.env["PROPERTY_SEED"] ?? 20) });
