using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Breakwater.Mutation;

/// <summary>
/// Finds what could be changed in a file, by syntax alone: what does not compile is dropped after the build said so. Every change keeps the
/// lines as they are, so that the compiler's messages and stack traces name the original ones.
/// </summary>
internal sealed class CandidateFinder(string room, string file, string source) : CSharpSyntaxWalker
{
    private readonly List<Candidate> _found = [];

    /// <summary>All candidates of a file, in the order of the text.</summary>
    public static IReadOnlyList<Candidate> In(string room, string file, string source)
    {
        CandidateFinder finder = new(room, file, source);
        finder.Visit(CSharpSyntaxTree.ParseText(source, new CSharpParseOptions(LanguageVersion.Preview)).GetRoot());
        return [.. finder._found.OrderBy(c => c.Start)];
    }

    public override void VisitAttributeList(AttributeListSyntax node)
    {
    }

    public override void VisitEnumDeclaration(EnumDeclarationSyntax node)
    {
    }

    public override void VisitParameterList(ParameterListSyntax node)
    {
    }

    public override void VisitCaseSwitchLabel(CaseSwitchLabelSyntax node)
    {
    }

    public override void VisitFieldDeclaration(FieldDeclarationSyntax node)
    {
        if (!node.Modifiers.Any(SyntaxKind.ConstKeyword))
        {
            base.VisitFieldDeclaration(node);
        }
    }

    public override void VisitLocalDeclarationStatement(LocalDeclarationStatementSyntax node)
    {
        if (!node.Modifiers.Any(SyntaxKind.ConstKeyword))
        {
            base.VisitLocalDeclarationStatement(node);
        }
    }

    /// <summary>What a message says is not judged.</summary>
    public override void VisitThrowStatement(ThrowStatementSyntax node)
    {
    }

    public override void VisitThrowExpression(ThrowExpressionSyntax node)
    {
    }

    public override void VisitIsPatternExpression(IsPatternExpressionSyntax node) => Visit(node.Expression);

    public override void VisitSwitchExpressionArm(SwitchExpressionArmSyntax node)
    {
        Visit(node.WhenClause);
        Visit(node.Expression);
    }

    public override void VisitIfStatement(IfStatementSyntax node)
    {
        Condition(node.Condition);
        base.VisitIfStatement(node);
    }

    public override void VisitWhileStatement(WhileStatementSyntax node)
    {
        Condition(node.Condition);
        base.VisitWhileStatement(node);
    }

    public override void VisitConditionalExpression(ConditionalExpressionSyntax node)
    {
        Condition(node.Condition);
        base.VisitConditionalExpression(node);
    }

    public override void VisitBinaryExpression(BinaryExpressionSyntax node)
    {
        string? other = node.OperatorToken.Text switch
        {
            "<" => "<=",
            "<=" => "<",
            ">" => ">=",
            ">=" => ">",
            "==" => "!=",
            "!=" => "==",
            "&&" => "||",
            "||" => "&&",
            "+" when !IsText(node) => "-",
            "-" => "+",
            "*" => "/",
            "/" => "*",
            _ => null,
        };
        string kind = node.OperatorToken.Text switch
        {
            "<" or "<=" or ">" or ">=" => "boundary",
            "==" or "!=" => "equality",
            "&&" or "||" => "logic",
            _ => "arithmetic",
        };
        if (other is not null && !Declares(node) && !(kind == "boundary" && ChoosesBetweenItsSides(node)))
        {
            string swapped =
                source[node.SpanStart..node.OperatorToken.SpanStart] + other + source[node.OperatorToken.Span.End..node.Span.End];
            Choose(kind, node, swapped);
        }

        base.VisitBinaryExpression(node);
    }

    public override void VisitLiteralExpression(LiteralExpressionSyntax node)
    {
        switch (node.Kind())
        {
            case SyntaxKind.NumericLiteralExpression when node.Token.Value is int or long or double:
                Choose("off by one", node, node.Token.Text + " + 1");
                break;
            case SyntaxKind.TrueLiteralExpression:
                Choose("constant", node, "false");
                break;
            case SyntaxKind.FalseLiteralExpression:
                Choose("constant", node, "true");
                break;
        }
    }

    public override void VisitInvocationExpression(InvocationExpressionSyntax node)
    {
        if (IsLog(node) || node.Expression.ToString().EndsWith("ConfigureAwait", StringComparison.Ordinal))
        {
            Visit(node.Expression);
            return;
        }

        if (node.Expression is MemberAccessExpressionSyntax
            {
                Expression: IdentifierNameSyntax { Identifier.Text: "Math" },
                Name.Identifier.Text: "Min" or "Max"
            } call)
        {
            string other = call.Name.Identifier.Text == "Min" ? "Max" : "Min";
            Choose("min and max", node, source[node.SpanStart..call.Name.SpanStart] + other + source[call.Name.Span.End..node.Span.End]);
        }

        base.VisitInvocationExpression(node);
    }

    public override void VisitExpressionStatement(ExpressionStatementSyntax node)
    {
        ExpressionSyntax called = node.Expression is AwaitExpressionSyntax awaited ? awaited.Expression : node.Expression;
        bool isCall = called is InvocationExpressionSyntax or ConditionalAccessExpressionSyntax;
        bool isChange = called is AssignmentExpressionSyntax or PostfixUnaryExpressionSyntax or PrefixUnaryExpressionSyntax;
        if ((isCall || isChange) && node.Parent is BlockSyntax && !(called is InvocationExpressionSyntax invoked && IsLog(invoked)))
        {
            string text = node.ToString();
            string kind = isChange ? "assignment removed"
                : GivesBack(text) ? "release removed"
                : "call removed";
            Add(kind, node, "", "if (!{0}) " + Escaped(text));
        }

        base.VisitExpressionStatement(node);
    }

    public override void VisitReturnStatement(ReturnStatementSyntax node)
    {
        if (node.Expression is { } value && !IsNothing(value) && value is not LiteralExpressionSyntax
            && !node.Ancestors().OfType<TypeSyntax>().Any() && value is not RefExpressionSyntax)
        {
            Choose("return default", value, "default!");
        }

        base.VisitReturnStatement(node);
    }

    private static bool IsLog(InvocationExpressionSyntax call)
    {
        string name = call.Expression.ToString();
        return name.StartsWith("Log", StringComparison.Ordinal) || name.Contains(".Log", StringComparison.Ordinal);
    }

    private static bool GivesBack(string text) =>
        new[] { "Dispose", "Release", "Leave", "Return", "Remove", "Close", "Unmap", "Unwatch", "GiveBack", "Cancel", "Left" }
            .Any(name => text.Contains(name, StringComparison.Ordinal));

    private static bool IsNothing(ExpressionSyntax value) => value.ToString() is "null" or "default" or "false" or "0" or "[]" or "\"\"";

    private static bool IsText(SyntaxNode node) =>
        node.DescendantNodes()
        .Any(n => n is InterpolatedStringExpressionSyntax || n.IsKind(SyntaxKind.StringLiteralExpression)
        || n.IsKind(SyntaxKind.CharacterLiteralExpression));

    /// <summary>Does it bring variables into being? Then both forms in one expression would not assign them.</summary>
    private static bool Declares(SyntaxNode node) =>
        node.DescendantNodes().Any(n => n is SingleVariableDesignationSyntax or ParenthesizedVariableDesignationSyntax);

    /// <summary>Is it the greater or the lesser of two, as <c>a &gt; b ? a : b</c>? Where they are equal either will do.</summary>
    private static bool ChoosesBetweenItsSides(BinaryExpressionSyntax node) =>
        node.Parent is ConditionalExpressionSyntax choice && choice.Condition == node
        && ((AreSame(choice.WhenTrue, node.Left) && AreSame(choice.WhenFalse, node.Right))
            || (AreSame(choice.WhenTrue, node.Right) && AreSame(choice.WhenFalse, node.Left)));

    private static bool AreSame(SyntaxNode one, SyntaxNode other) => SyntaxFactory.AreEquivalent(one, other);

    private static string Escaped(string text) =>
        text.Replace("{", "{{", StringComparison.Ordinal).Replace("}", "}}", StringComparison.Ordinal);

    private void Condition(ExpressionSyntax condition)
    {
        if (condition is LiteralExpressionSyntax)
        {
            return;
        }

        string text = condition.ToString();
        if (!Declares(condition))
        {
            Choose("condition negated", condition, $"!({text})");
            return;
        }

        // What it declares is assigned when it holds, or when it does not: the switch stands where that stays so.
        bool isNegative = condition is PrefixUnaryExpressionSyntax { OperatorToken.Text: "!" }
            || text.Contains(" is not ", StringComparison.Ordinal);
        if (isNegative)
        {
            Add("condition true", condition, "true", "(" + Escaped(text) + ") || {0}");
        }
        else
        {
            Add("condition false", condition, "false", "(" + Escaped(text) + ") && !{0}");
        }
    }

    private void Choose(string kind, ExpressionSyntax node, string becomes) =>
        Add(kind, node, becomes, "({0} ? " + Escaped(becomes) + " : " + Escaped(node.ToString()) + ")");

    private void Add(string kind, SyntaxNode node, string becomes, string rewritten)
    {
        FileLinePositionSpan lines = node.GetLocation().GetLineSpan();
        bool isStatement = node is StatementSyntax;
        if ((lines.StartLinePosition.Line != lines.EndLinePosition.Line && !isStatement)
            || node.Ancestors().Any(a => a is InterpolationAlignmentClauseSyntax or SubpatternSyntax or PatternSyntax))
        {
            return;
        }

        string code = source.Split('\n')[lines.StartLinePosition.Line].Trim();
        _found.Add(new Candidate(room, file, lines.StartLinePosition.Line + 1, kind, node.SpanStart, node.Span.Length,
            FirstLine(node.ToString()), FirstLine(becomes), rewritten, code));
    }

    private static string FirstLine(string text) => text.Split('\n')[0].Trim();
}
