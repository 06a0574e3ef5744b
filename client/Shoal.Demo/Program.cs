using Shoal.Demo;
using Spectre.Console;

return await DemoProgram.RunAsync(args, AnsiConsole.Console, Console.Error);
