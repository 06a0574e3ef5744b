using Shoal.Chaos.Silo;
using Shoal.Silo;

// The first argument says what is broken; the others are a silo's.
return await SiloProgram.RunAsync(args[1..], services => Breakage.Add(services, args[0]));
