"""What a fit is judged by: held-out periods, a plain regression, residuals, simulated refits."""
