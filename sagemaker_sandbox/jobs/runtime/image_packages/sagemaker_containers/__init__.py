"""Toolkit of old framework images, with the functions that scripts call.

Source: aws/sagemaker-containers, version 2.
"""
