"""From configuration files to what is stepped: every asset's plan, and which history a run plays."""
