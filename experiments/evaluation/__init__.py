"""Can it be believed: validation, verification, regression, calibration, hindcast, sensitivity."""
