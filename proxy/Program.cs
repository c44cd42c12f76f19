using System.CommandLine;
using Breakwater.Proxy.Commands;
using Breakwater.Proxy.Commands.Demo;
using Breakwater.Proxy.Settings;

var root = new RootCommand("Breakwater: the site cache for CernVM-FS. With no command it serves.")
{
    SettingsFile.Option,
    ServeCommand.Create(),
    DemoCommand.Create(),
};
root.SetAction((parsed, cancellationToken) => ServeCommand.RunAsync(parsed.GetValue(SettingsFile.Option), cancellationToken));
return await root.Parse(args).InvokeAsync();
