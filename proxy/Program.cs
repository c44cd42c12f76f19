using System.CommandLine;
using Breakwater.Proxy.Commands;
using Breakwater.Proxy.Commands.Demo;
using Breakwater.Proxy.Commands.Seed;
using Breakwater.Proxy.Commands.Store;
using Breakwater.Proxy.Listening;
using Breakwater.Proxy.Settings;

// Before the first socket: completions run on the sockets' own threads (docs/develop/adr). Whoever may block hops away: ThreadHop.
Environment.SetEnvironmentVariable("DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS", "1");

var root = new RootCommand("""
    Breakwater: the site cache for CernVM-FS. With no command it serves.

    First steps: 'breakwater demo' shows a storm of boots, without any setting and network. 'breakwater doctor' says what is not right on this host and what to do.
    'breakwater serve' is the proxy on port 3128, with its page on http://127.0.0.1:9128/. 'breakwater context' prints what clients need to use it.
    """)
{
    SettingsFile.Option,
    ServeCommand.Create(),
    DemoCommand.Create(),
    StoreCommand.Create(),
    StatusCommand.Create(),
    TopCommand.Create(),
    DoctorCommand.Create(),
    ContextCommand.Create(),
    CompletionCommand.Create(),
    WarmCommand.Create(),
    ProfileCommand.Create(),
    SeedCommand.Create(),
    SocketUnitCommand.Create(),
};
root.SetAction((parsed, cancellationToken) => ServeCommand.RunAsync(parsed.GetValue(SettingsFile.Option), cancellationToken));

// The command ends by itself: the longest Proxy:DrainTimeout is 10 minutes, and the default of 2 s would cut responses under way.
ParseResult parsed = root.Parse(args);
int exitCode = await parsed.InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = TimeSpan.FromMinutes(11) });
if (exitCode != 0 && parsed.Errors.Count > 0 && ServeCommand.IsMeant(parsed))
{
    // Trying again does not help.
    exitCode = ServeCommand.WrongSettings;
}

if (exitCode != 0)
{
    // Nobody serves what a service manager handed over, whatever went wrong: clients are to know it.
    InheritedSockets.RefuseClients();
}

return exitCode;
