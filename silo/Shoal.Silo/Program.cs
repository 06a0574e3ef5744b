return await Shoal.Silo.SiloProgram.RunAsync(args);
