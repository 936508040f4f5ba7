"""How Django itself writes dates, where no filter of ours does: in the administration (`FORMAT_MODULE_PATH`)."""
