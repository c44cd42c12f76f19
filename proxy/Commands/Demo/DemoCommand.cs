using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace Breakwater.Proxy.Commands.Demo;

/// <summary>
/// <c>breakwater demo</c>: a storm of booting VMs against the real proxy, on this machine alone. See <see cref="DemoRun"/>.
/// </summary>
internal static class DemoCommand
{
    private const int DefaultVms = 200;
    private const int DefaultRoundTripMs = 30;
    private const int MaxRoundTripMs = 1000;

    /// <summary>Makes the command for the command line's root.</summary>
    public static Command Create()
    {
        Option<int> vms = new("--vms")
        {
            Description = "How many virtual machines boot at once",
            HelpName = "N",
            DefaultValueFactory = _ => DefaultVms,
        };
        vms.Validators.Add(RequireVms);

        // Above a second the fetches would no longer fit into the 1.5 s that an upstream has for its first byte.
        Option<int> roundTrip = new("--rtt")
        {
            Description = $"How far away the embedded Stratum 1 is: round-trip time in milliseconds, 0 to {MaxRoundTripMs}",
            HelpName = "MS",
            DefaultValueFactory = _ => DefaultRoundTripMs,
        };
        roundTrip.Validators.Add(result =>
        {
            if (!result.Implicit && (!TryReadNumber(result, out int ms) || ms is < 0 or > MaxRoundTripMs))
            {
                result.AddError($"--rtt is a round-trip time in milliseconds from 0 to {MaxRoundTripMs}.");
            }
        });

        Option<bool> json =
            new("--json") { Description = "Print one JSON object and nothing else on standard output; progress goes to standard error" };

        Option<bool> vm = new("--vm")
        {
            Description = "Instead boot a real machine, in QEMU, and show its console; says what is missing",
        };
        Option<DirectoryInfo> image = new("--image")
        {
            Description = "With --vm: what 'deployment/microvm/build.sh --user-data-key' of the source made",
            HelpName = "DIRECTORY",
            DefaultValueFactory = _ => new DirectoryInfo(DemoMachine.DefaultImage),
        };

        Command command = new(
            "demo",
            "A storm of booting virtual machines against the real proxy: an embedded Stratum 1 with a real repository, a temporary store, "
            + "no Internet. Exit code 0 when every boot went as it must.")
        {
            vms, roundTrip, json, vm, image,
        };
        command.SetAction((parsed, cancellationToken) => RunAsync(
            new DemoOptions
            {
                Vms = parsed.GetValue(vms),
                RoundTrip = TimeSpan.FromMilliseconds(parsed.GetValue(roundTrip)),
                Json = parsed.GetValue(json),
                Image = parsed.GetValue(vm) ? parsed.GetRequiredValue(image).FullName : null,
            },
            cancellationToken));
        return command;
    }

    /// <summary>Validators run before values are converted: asking for the value of a mistyped number throws.</summary>
    private static bool TryReadNumber(OptionResult result, out int number) =>
        int.TryParse(result.Tokens.Count == 1 ? result.Tokens[0].Value : "", NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture,
        out number);

    private static void RequireVms(OptionResult result)
    {
        int vms = DefaultVms;
        bool isNumber = result.Implicit || TryReadNumber(result, out vms);
        int most = FileDescriptors.MostVms();
        if (!isNumber || vms < 1)
        {
            result.AddError("--vms is a number of virtual machines, at least 1.");
        }
        else if (vms > most)
        {
            result.AddError(string.Create(
                CultureInfo.InvariantCulture,
                $"--vms {vms} needs about {FileDescriptors.NeededBy(vms)} open sockets, and this process may have {FileDescriptors.Limit}: "
                + $"use --vms {most} or less, or raise the limit (ulimit -n)."));
        }
    }

    private static async Task<int> RunAsync(DemoOptions options, CancellationToken cancellationToken)
    {
        DemoView view = new(options.Json);
        try
        {
            if (options.Image is { } image)
            {
                return await new DemoMachine(image, options.RoundTrip, Console.Out).RunAsync(cancellationToken) ? 0 : 1;
            }

            DemoReport report = await new DemoRun(options, view).RunAsync(cancellationToken);
            view.Show(report);
            return report.Ok ? 0 : 1;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            view.Fail("Stopped before the end.");
            return 1;
        }
        catch (DemoFailedException e)
        {
            view.Fail(e.Message);
            return 1;
        }
    }
}
