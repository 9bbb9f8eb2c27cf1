"""Named checks of prove. Each answers one question that the documentation of AWS leaves open."""
