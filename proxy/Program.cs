using System.CommandLine;
using System.CommandLine.Help;
using Breakwater.Proxy.Commands;
using Breakwater.Proxy.Commands.Cluster;
using Breakwater.Proxy.Commands.Demo;
using Breakwater.Proxy.Commands.Lab;
using Breakwater.Proxy.Commands.Publish;
using Breakwater.Proxy.Commands.Seed;
using Breakwater.Proxy.Commands.Store;
using Breakwater.Proxy.Listening;
using Breakwater.Proxy.Settings;

// Before anything else, which takes a third of a second: a signal that comes meanwhile is not to end the process as a failure.
using var signals = new EndSignals();

// Before the first socket: completions run on the sockets' own threads (docs/develop/adr). Whoever may block hops away: ThreadHop.
Environment.SetEnvironmentVariable("DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS", "1");

return await RunAsync(args, signals);

static async Task<int> RunAsync(string[] args, EndSignals signals)
{
    ParseResult parsed = Root().Parse(args);
    Task<int> command = Task.Run(() => Failures.RunAsync(parsed, signals.Told), CancellationToken.None);
    int exitCode = await signals.ExitCodeAsync(command, EndSignals.PatienceWith(parsed.CommandResult.Command), TimeProvider.System);
    if (exitCode != 0)
    {
        // Nobody serves what a service manager handed over, whatever went wrong: clients are to know it.
        InheritedSockets.RefuseClients();
    }

    return exitCode;
}

static RootCommand Root()
{
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
        TopCommand.Create(TimeProvider.System),
        DoctorCommand.Create(),
        ContextCommand.Create(),
        CompletionCommand.Create(),
        WarmCommand.Create(),
        PurgeCommand.Create(),
        ProfileCommand.Create(),
        PinCommand.Create(),
        SeedCommand.Create(),
        PublishCommand.Create(),
        LabCommand.Create(),
        MountCommand.Create(),
        ClusterCommand.Create(),
        SettingsCommand.Create(),
        SocketUnitCommand.Create(),
    };
    root.SetAction((parsed, cancellationToken) => ServeCommand.RunAsync(parsed.GetValue(SettingsFile.Option), cancellationToken));
    root.Add(ManualCommand.Create(root));
    foreach (HelpOption option in root.Options.OfType<HelpOption>())
    {
        option.Action = new ExitCodesHelp((HelpAction)option.Action!);
    }

    return root;
}
