"""Is the appliance in order? Small questions, each answered from outside the compartments."""
