"""Work in a clone of the repository: write the HCL, add environments, deploy, promote and prove. Not in the wheel."""
