# Generated from the module's page by smlops synth. Change the source, then run `smlops synth`.

# An example has values instead of variables.
