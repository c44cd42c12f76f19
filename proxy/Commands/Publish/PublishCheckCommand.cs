using System.CommandLine;
using Breakwater.Proxy.Commands.Publish.Objects;
using Breakwater.Proxy.Commands.Publish.Revisions;
using Breakwater.Proxy.Settings;

namespace Breakwater.Proxy.Commands.Publish;

/// <summary><c>breakwater publish check</c>: reads what is published as a client does.</summary>
internal static class PublishCheckCommand
{
    private static readonly Option<bool> s_verify = new("--verify")
    {
        Description = "Hash every object; without it, only that it is there is looked at",
    };

    private static readonly Option<bool> s_json = Output.JsonOption();

    /// <summary>Makes the command.</summary>
    public static Command Create()
    {
        Command command = new("check", "Check the chain of trust and that every object of the current revision and of all tags is there")
        {
            s_verify, PublishPlace.Repository, PublishPlace.Output, PublishPlace.Keys, s_json, SettingsFile.Option,
        };
        PublishPlace.SetAction(command, RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        PublishPlace place = PublishPlace.Of(parsed);
        (RepositoryFolder folder, CurrentRepository current) = await place.OpenAsync(cancellationToken);
        using (folder)
        {
            (IReadOnlyList<string> problems, int objects) = await RepositoryCheck.RunAsync(
                folder, place.PublishKeys.ReadPublic(), TimeProvider.System.GetUtcNow(), parsed.GetValue(s_verify), cancellationToken);
            int exitCode = problems.Count == 0 ? 0 : ExitCodes.Refused;
            if (parsed.GetValue(s_json))
            {
                Output.WriteJson(new
                {
                    Repository = place.Fqrn,
                    current.Manifest.Revision,
                    Objects = objects,
                    IsVerified = parsed.GetValue(s_verify),
                    Problems = problems,
                });
                return exitCode;
            }

            foreach (string problem in problems)
            {
                await Console.Error.WriteLineAsync(problem);
            }

            Console.WriteLine(problems.Count == 0
                ? $"{place.Fqrn} revision {current.Manifest.Revision}: {objects} objects are there"
                    + $"{(parsed.GetValue(s_verify) ? ", all with their hash" : "")}."
                : $"{place.Fqrn} revision {current.Manifest.Revision}: {problems.Count} things are wrong.");
            return exitCode;
        }
    }
}
