using System.CommandLine;
using Breakwater.Proxy.Admin;
using Breakwater.Proxy.Settings;

namespace Breakwater.Proxy.Commands;

/// <summary><c>breakwater purge</c>: the running proxy forgets stored answers of ordinary HTTP.</summary>
internal static class PurgeCommand
{
    /// <summary>Makes the command for the command line's root.</summary>
    public static Command Create()
    {
        var urls = new Argument<string[]>("url")
        {
            Description = "URLs as clients ask for them; one that ends in * stands for all that begin so",
            Arity = ArgumentArity.OneOrMore,
        };
        Option<bool> json = Output.JsonOption();
        Option<bool> allNodes = AllNodes.Option();
        var command = new Command(
            "purge", "Forgets stored answers of destinations and sites: the next request asks the origin. No object of CernVM-FS needs it.")
        {
            urls, allNodes, json, SettingsFile.Option,
        };
        command.SetAction((parsed, cancellationToken) => AllNodes.RunAsync(
            parsed.GetValue(SettingsFile.Option), parsed.GetValue(allNodes),
            (client, token) => RunAsync(client, parsed.GetValue(urls)!, parsed.GetValue(json), token), cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(AdminClient client, string[] urls, bool asJson, CancellationToken cancellationToken)
    {
        foreach (string url in urls)
        {
            bool isPrefix = url.EndsWith('*');
            string asked = Uri.EscapeDataString(isPrefix ? url[..^1] : url);
            PurgeResult result = await client.PostAsync<PurgeResult>(
                $"http/purge?url={asked}&prefix={(isPrefix ? "true" : "false")}", null, cancellationToken);
            if (asJson)
            {
                Output.WriteJson(new { Url = url, result.PurgedUrls }); // an object a line
            }
            else
            {
                Console.WriteLine($"{url}: {result.PurgedUrls} forgotten");
            }

            if (result.PurgedUrls == 0 && url.Contains("/cvmfs/", StringComparison.Ordinal))
            {
                await Console.Error.WriteLineAsync("What is below /cvmfs/ is named by its hash and never changes, and a repository's "
                    + "manifest is looked at by itself: nothing there needs to be forgotten.");
            }
        }

        return 0;
    }
}
