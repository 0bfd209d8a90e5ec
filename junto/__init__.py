"""Junto: triages what an MSP's systems report and acts only when a person or a written policy agreed."""
