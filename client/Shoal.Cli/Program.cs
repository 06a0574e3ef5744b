using Shoal.Cli;
using Spectre.Console;

return await ShoalCli.RunAsync(args, new CliSurroundings
{
    Out = Console.Out,
    Error = Console.Error,
    Terminal = AnsiConsole.Console,
});
